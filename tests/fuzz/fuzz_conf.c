/* Arbitrary bytes as a configuration: it parses or is refused, and what parses has a digest. */
#include <stdlib.h>

#include "parser/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = { 0 };
    /* includes are joined to a folder that does not exist */
    struct conf *conf = conf_parse(span_make(data, size), "/nowhere/fuzz/fuzz.conf", &err);

    if (!conf) {
        if (err.text[0] == '\0')
            abort(); /* refused without a word */
        return 0;
    }
    struct buf digest = { 0 };
    conf_digest(conf, &digest);
    buf_free(&digest);
    conf_free(conf);
    return 0;
}
