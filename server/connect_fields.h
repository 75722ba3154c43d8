/* connect_fields.h - what a client's CONNECT says. Source: NATS client protocol. */
#ifndef SERVER_CONNECT_FIELDS_H
#define SERVER_CONNECT_FIELDS_H

#include <cjson/cJSON.h>

#include "auth.h"

/** The fields as sent; strings point into `json`. */
struct connect {
    cJSON *json; /* owned */
    struct credentials credentials;
    const char *name, *lang, *version, *account;
    bool verbose, pedantic, echo, headers, no_responders, new_account, ignored;
    double protocol;
};

/** Reads the text into `out`, whose fields keep the values they have where nothing is sent; names count in upper
 *  and lower case. False when it is no JSON object or a field has the wrong type. connect_free() in any case. */
bool connect_read(struct span text, struct connect *out);
/** Erases the secrets. */
void connect_free(struct connect *connect);

#endif
