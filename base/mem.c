/* mem.c - allocation that never returns NULL, for sizes of our own choosing. */
#include "mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static _Noreturn void out_of_memory(size_t size)
{
    fprintf(stderr, "out of memory: cannot allocate %zu bytes\n", size);
    abort();
}

/* malloc(0) may return NULL, which our callers would take for a failure. */
static size_t at_least_one(size_t size)
{
    return size ? size : 1;
}

void *mem_zero(size_t size)
{
    void *ptr = calloc(1, at_least_one(size));
    if (!ptr)
        out_of_memory(size);
    return ptr;
}

void *mem_alloc(size_t size)
{
    void *ptr = malloc(at_least_one(size));
    if (!ptr)
        out_of_memory(size);
    return ptr;
}

void *mem_resize(void *ptr, size_t size)
{
    void *moved = realloc(ptr, at_least_one(size));
    if (!moved)
        out_of_memory(size);
    return moved;
}

void *mem_resize_array(void *ptr, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        out_of_memory(SIZE_MAX);
    return mem_resize(ptr, total);
}

char *mem_strdup(const char *text)
{
    return text ? mem_strspan(span_of(text)) : NULL;
}

char *mem_strspan(struct span text)
{
    char *copy = mem_alloc(text.len + 1);
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return copy;
}

char *mem_printf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text;
    int len = vasprintf(&text, format, args);
    va_end(args);
    if (len < 0)
        out_of_memory(0);
    return text;
}

void *mem_try_alloc(size_t size)
{
    return malloc(at_least_one(size));
}
