/* jwt_private.h - between the files of jwt. */
#ifndef SERVER_JWT_PRIVATE_H
#define SERVER_JWT_PRIVATE_H

#include "jwt.h"

struct cJSON;

/** Memory that lives as long as the token; zeroed. */
void *jwt_alloc(struct jwt *jwt, size_t size);

/* ---- jwt_claims.c: JSON to structs */
/** The claims that every kind has, and of which kind and version it is. */
bool jwt_read_head(struct jwt *jwt, const struct cJSON *claims, struct error *err);
/** The claims of its kind. */
bool jwt_read_body(struct jwt *jwt, const struct cJSON *claims, struct error *err);

/* ---- jwt_check.c: what may not be */
bool jwt_check(const struct jwt *jwt, struct error *err);

#endif
