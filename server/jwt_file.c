/* jwt_file.c - the token in a decorated file: operator.jwt, user.creds. */
#include "jwt.h"

#define BLANKS " \t\r\n"

static bool is_rule(struct span line)
{
    line = span_trim(line, BLANKS);
    return line.len > 6 && memcmp(line.ptr, "---", 3) == 0 &&
           memcmp(line.ptr + line.len - 3, "---", 3) == 0;
}

struct span jwt_find_token(struct span file)
{
    struct span rest = file;
    while (rest.len > 0) {
        if (!is_rule(span_take_line(&rest)))
            continue;
        const uint8_t *begin = rest.ptr;
        while (rest.len > 0) {
            struct span line = span_take_line(&rest);
            if (is_rule(line))
                return span_trim(span_make(begin, (size_t)(line.ptr - begin)), BLANKS);
        }
        return span_make(NULL, 0); /* it begins and does not end */
    }
    return span_trim(file, BLANKS);
}
