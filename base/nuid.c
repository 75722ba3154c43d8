/* nuid.c - identifiers whose prefix is random and whose tail counts upwards in random steps.
 * Source: NATS NUID (prefix 12, sequence 10 digits of base 62, step 33 to 333). */
#include "nuid.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "rand.h"

#define PREFIX_LEN    12
#define SEQUENCE_LEN  (NUID_LEN - PREFIX_LEN)
#define SEQUENCE_END  839299365868340224u /* 62 to the power of 10 */
#define SMALLEST_STEP 33
#define LARGEST_STEP  333

static const char DIGITS[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
#define BASE (sizeof DIGITS - 1)

static _Thread_local struct {
    bool started;
    char prefix[PREFIX_LEN];
    uint64_t sequence, step;
} generator;

/* Identifiers serve as unguessable inboxes: the prefix comes from the kernel. Bytes above the
 * largest multiple of 62 are thrown away, they would make the first digits likelier. */
static void draw_prefix(void)
{
    for (size_t filled = 0; filled < PREFIX_LEN;) {
        uint8_t bytes[2 * PREFIX_LEN];
        rand_bytes(bytes, sizeof bytes);
        for (size_t i = 0; i < sizeof bytes && filled < PREFIX_LEN; i++)
            if (bytes[i] < 256 / BASE * BASE)
                generator.prefix[filled++] = DIGITS[bytes[i] % BASE];
    }
}

static void restart(void)
{
    draw_prefix();
    generator.sequence = rand_u64() % SEQUENCE_END;
    generator.step = SMALLEST_STEP + rand_below(LARGEST_STEP - SMALLEST_STEP + 1);
    generator.started = true;
}

void nuid_next(char out[NUID_LEN + 1])
{
    generator.sequence += generator.step;
    if (!generator.started || generator.sequence >= SEQUENCE_END)
        restart();
    memcpy(out, generator.prefix, PREFIX_LEN);
    uint64_t rest = generator.sequence;
    for (size_t i = NUID_LEN; i > PREFIX_LEN; i--, rest /= BASE)
        out[i - 1] = DIGITS[rest % BASE];
    out[NUID_LEN] = '\0';
}
