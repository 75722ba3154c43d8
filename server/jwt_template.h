/* jwt_template.h - subjects with gaps, in the template of a scoped signing key: "chat.{{name()}}.>". Pure; any
 * thread. Source: nats-server 2.15.1. */
#ifndef SERVER_JWT_TEMPLATE_H
#define SERVER_JWT_TEMPLATE_H

#include "jwt.h"

/** Replaces {{name()}}, {{subject()}}, {{account-name()}}, {{account-subject()}}, {{tag(KEY)}} and
 *  {{account-tag(KEY)}}. A tag that is there several times gives as many subjects. An allowed subject that stays
 *  without a value vanishes; when all of an allow list do, everything is denied.
 *  The texts of `out` are borrowed from the template or owned by `user` (and live as long).
 *  False and the reason when a denied subject has no value. */
bool jwt_template_fill(const struct jwt_permissions *template, struct jwt *user,
                       const struct jwt *account, struct jwt_permissions *out, struct error *err);

#endif
