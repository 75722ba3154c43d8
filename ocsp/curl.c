/* curl.c - see curl.h. */
#include "curl.h"

#include <dlfcn.h>
#include <string.h>

#define LIBRARY "libcurl.so.4"

static bool find(void *library, const char *name, void *target, struct error *err)
{
    void *symbol = dlsym(library, name);
    if (!symbol)
        return error_set(err, "%s: no function %s", LIBRARY, name);
    memcpy(target, &symbol, sizeof symbol);
    return true;
}

bool curl_load(struct curl *curl, struct error *err)
{
    *curl = (struct curl){ .library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL) };
    if (!curl->library)
        return error_set(err, "%s", dlerror());
#define FIND(name) find(curl->library, "curl_" #name, &curl->name, err) &&
    return CURL_FUNCTIONS(FIND) curl->global_init(CURL_GLOBAL_DEFAULT) == 0;
#undef FIND
}

void curl_unload(struct curl *curl)
{
    curl->global_cleanup();
}
