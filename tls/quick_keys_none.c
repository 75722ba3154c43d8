/* quick_keys_none.c - OpenSSL 3.2 and later find the decoder of a key quickly by themselves. */
#include "quick_keys.h"

void quick_keys_enable(void)
{
}
