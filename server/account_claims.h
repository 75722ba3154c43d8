/* account_claims.h - what the JWT of an account means as options of an account. Any thread. */
#ifndef SERVER_ACCOUNT_CLAIMS_H
#define SERVER_ACCOUNT_CLAIMS_H

#include "jwt.h"
#include "options.h"

/** Gives the account its limits and default permissions; retains `jwt`. False and the reason when a claim makes
 *  no sense. */
bool account_take_claims(struct account_options *account, struct jwt *jwt, struct error *err);
/** The permissions that the claims say. NULL and the error when a subject is none; NULL without an error when
 *  they say nothing. Owned. */
struct permissions *permissions_of_claims(const struct jwt_permissions *claims, struct error *err);

/** The exports and imports that the account's JWT claims, not resolved yet. Texts are borrowed from the JWT. */
void account_take_exchange(struct options *options, struct account_options *account);
/** The mappings that it claims; what makes no sense is left out, with a note. */
void account_take_mappings(struct options *options, struct account_options *account);
/** Does the import show an activation that opens this export for it? Notes when that expires. */
bool account_activates(const struct export_options *export, struct import_options *import);

#endif
