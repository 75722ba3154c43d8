/* password.h - compares what a peer sent with a configured password or token.
 * Source: bcrypt forms $2a$ $2b$ $2x$ $2y$; everything else is compared byte by byte in constant time. */
#ifndef SERVER_PASSWORD_H
#define SERVER_PASSWORD_H

#include "base/span.h"

/** Is the configured text a bcrypt hash? Then password_matches() takes 10 to 200 ms: thread pool only. */
bool password_is_bcrypt(const char *configured);
/** NULL `configured` matches only the empty password. Thread: any. */
bool password_matches(const char *configured, struct span given);

#endif
