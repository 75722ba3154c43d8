/* operator.h - operator mode: whose signature counts. Pure; any thread. */
#ifndef SERVER_OPERATOR_H
#define SERVER_OPERATOR_H

#include "options.h"

/** Are accounts and users what JWTs say? */
bool operator_mode(const struct options *options);
/** Is `issuer` the key of a trusted operator, so that it may sign accounts? */
bool operator_trusts(const struct options *options, const char *issuer);
/** Does the operator behind `issuer` want that accounts sign with signing keys only? */
bool operator_is_strict(const struct options *options, const char *issuer);
/** May this account be used at all? (resolver_pinned_accounts) */
bool operator_admits(const struct options *options, const char *account);

#endif
