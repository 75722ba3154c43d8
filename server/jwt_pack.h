/* jwt_pack.h - what resolvers with a directory send each other: lines "ACCOUNT|JWT".
 *
 * Source: nats-server's directory resolvers, $SYS.REQ.CLAIMS.PACK. */
#ifndef SERVER_JWT_PACK_H
#define SERVER_JWT_PACK_H

#include "base/span.h"

#include "nkey.h"

struct jwt_pack_line {
    char account[NKEY_PUBLIC_LEN + 1]; /* 56 bytes of any kind */
    struct span token;                 /* any bytes; borrowed from the text */
};

/** The next line of that form, which is taken from the front of `text` with the others before it; false at the end. */
bool jwt_pack_next(struct span *text, struct jwt_pack_line *line);

#endif
