/* curl.h - libcurl, loaded when the first responder is to be asked: it and the twenty libraries behind it
 * take 4 MB that a broker without ocsp_peer should not pay. Thread: control. */
#ifndef OCSP_CURL_H
#define OCSP_CURL_H

#include <curl/curl.h>

#include "base/error.h"

/* A function of libcurl under its name without "curl_". The parentheses keep the type-checking macros of
 * the same names out of the way. */
#define CURL_FUNCTIONS(X)                                                                          \
    X(easy_cleanup)                                                                                \
    X(easy_getinfo)                                                                                \
    X(easy_init)                                                                                   \
    X(easy_setopt)                                                                                 \
    X(easy_strerror)                                                                               \
    X(global_cleanup)                                                                              \
    X(global_init)                                                                                 \
    X(multi_add_handle)                                                                            \
    X(multi_assign)                                                                                \
    X(multi_cleanup)                                                                               \
    X(multi_info_read)                                                                             \
    X(multi_init)                                                                                  \
    X(multi_remove_handle)                                                                         \
    X(multi_setopt)                                                                                \
    X(multi_socket_action)                                                                         \
    X(slist_append)                                                                                \
    X(slist_free_all)

struct curl {
    void *library;
#define CURL_MEMBER(name) __typeof__(curl_##name) *name;
    CURL_FUNCTIONS(CURL_MEMBER)
#undef CURL_MEMBER
};

/** Fills in *curl. False and the error: libcurl.so.4: cannot open shared object file: ... */
bool curl_load(struct curl *curl, struct error *err);
/** The library stays loaded: its threads may still be at work. */
void curl_unload(struct curl *curl);

#endif
