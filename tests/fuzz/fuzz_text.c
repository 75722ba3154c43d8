/* Arbitrary bytes through everything that turns bytes into text and back. */
#include <stdlib.h>

#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"

static void insist(bool holds)
{
    if (!holds)
        abort();
}

/* What was encoded comes back; what is refused leaves the buffer alone. */
static void check_bases(struct span input)
{
    struct buf text = { 0 }, back = { 0 };
    base64_encode(&text, input, BASE64_STD);
    insist(base64_decode(&back, buf_span(&text), BASE64_STD) && span_equal(buf_span(&back), input));
    buf_clear(&text), buf_clear(&back);
    base64_encode(&text, input, BASE64_RAW_URL);
    insist(base64_decode(&back, buf_span(&text), BASE64_RAW_URL) &&
           span_equal(buf_span(&back), input));
    buf_clear(&text), buf_clear(&back);
    base32_encode(&text, input);
    insist(base32_decode(&back, buf_span(&text)) && span_equal(buf_span(&back), input));
    buf_clear(&text), buf_clear(&back);
    hex_encode(&text, input);
    insist(hex_decode(&back, buf_span(&text)) && span_equal(buf_span(&back), input));
    buf_clear(&back);
    insist(base64_decode(&back, input, BASE64_STD) || back.len == 0);
    buf_clear(&back);
    insist(base32_decode(&back, input) || back.len == 0);
    buf_clear(&back);
    insist(hex_decode(&back, input) || back.len == 0);
    buf_free(&text), buf_free(&back);
}

static void check_times(struct span input)
{
    struct buf text = { 0 };
    struct error err = { 0 };
    int64_t ns, back;
    if (duration_parse(input, &ns, &err)) {
        duration_print(&text, ns);
        insist(duration_parse(buf_span(&text), &back, NULL) && back == ns);
    } else {
        insist(err.text[0] != '\0');
    }
    buf_clear(&text);
    if (time_parse(input, &ns)) {
        time_print(&text, ns);
        insist(time_parse(buf_span(&text), &back) && back == ns);
    }
    buf_free(&text);
}

/* Both are one line of valid text in quotes, whatever went in. */
static void check_quotes(struct span input)
{
    struct buf text = { 0 };
    json_escape(&text, input);
    insist(text.len >= 2 && utf8_is_valid(buf_span(&text)));
    for (size_t i = 0; i < text.len; i++)
        insist(text.data[i] >= ' ' && text.data[i] != '<');
    buf_clear(&text);
    text_quote(&text, input);
    insist(text.len >= 2 && utf8_is_valid(buf_span(&text)));
    for (size_t i = 0; i < text.len; i++)
        insist(text.data[i] >= ' ' && text.data[i] != 0x7f);
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_make(data, size);
    check_bases(input);
    check_times(input);
    check_quotes(input);
    return 0;
}
