/* quick_keys.h - public keys in certificates are decoded without a search. */
#ifndef TLS_QUICK_KEYS_H
#define TLS_QUICK_KEYS_H

/** Has an effect once per process; any thread. Where it cannot help it does nothing. */
void quick_keys_enable(void);

#endif
