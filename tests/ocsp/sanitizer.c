/* sanitizer.c - what LeakSanitizer is to overlook: Criterion's runner forgets one of its workers
 * when many tests run with -j2. Read by the sanitizer's runtime, if there is one. */

const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libcriterion\n";
}
