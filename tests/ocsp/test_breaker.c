/* test_breaker.c - who is asked, who is spared: sequences of ends, and what follows. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>

#include "breaker.h"

#define URL span_of("http://ca.example/a")

/* One letter per step:
 *   t a timeout            s a timeout of an exchange that had little time left
 *   o any other end        T, S, O the same of the probe
 *   P the probe begins     w half a second passes
 * and between '<' and '>' what the breaker must say: a(sk), p(robe), w(ait), r(efuse). */
struct row {
    char steps[48];
};

ParameterizedTestParameters(breaker, sequence)
{
    static struct row rows[] = {
        { "<a>" },
        { "tt<a>t<r>" },
        { "ttott<a>t<r>" }, /* in a row */
        { "ttsss<a>" },     /* these tell nothing ... */
        { "ttst<r>" },      /* ... and interrupt nothing */
        { "ttt<r>w<r>w<p>" },
        { "tttw<r>ttw<p>" }, /* those under way make it no longer */
        { "ttto<a>" },       /* one of those was answered */
        { "tttww<p>P<w>" },
        { "tttwwP<w>O<a>" },
        { "tttwwPO<a>tt<a>t<r>" },         /* all is forgotten */
        { "tttwwPT<r>w<r>w<p>PO<a>" },     /* the next second */
        { "tttwwPS<p>" },                  /* nothing was learned: the next one probes */
        { "tttwwPt<w>T<r>" },              /* an older one ends, the probe goes on */
        { "tttwwPo<a>T<a>tt<r>" },         /* an older one was answered */
        { "tttwwwwwwwwwwww<p>wwwwww<p>" }, /* nobody came to probe */
    };
    return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

static enum breaker_ruling meaning_of(char letter)
{
    return letter == 'p'   ? BREAKER_PROBE
           : letter == 'w' ? BREAKER_WAIT
           : letter == 'r' ? BREAKER_REFUSE
                           : BREAKER_ASK;
}

ParameterizedTest(struct row *row, breaker, sequence)
{
    struct breakers *breakers = breakers_new(4);
    int64_t now_ms = 5000;
    for (const char *at = row->steps; *at; at++) {
        struct breaker_end end = { .has_timed_out = strchr("tsTS", *at),
                                   .was_short = strchr("sS", *at),
                                   .was_probe = strchr("TSO", *at) };
        if (*at == 'w')
            now_ms += BREAKER_OPEN_MS / 2;
        else if (*at == 'P')
            breakers_probe(breakers, URL);
        else if (*at == '<')
            cr_expect_eq(breakers_rule(breakers, URL, now_ms), meaning_of(at[1]), "%s at %td",
                         row->steps, at - row->steps);
        else
            breakers_note(breakers, URL, &end, now_ms);
        at += *at == '<' ? 2 : 0;
    }
    breakers_free(breakers);
}

static const struct breaker_end TIMEOUT = { .has_timed_out = true };
static const struct breaker_end PROBE_TIMEOUT = { .has_timed_out = true, .was_probe = true };
static const struct breaker_end ANSWER = { 0 };

Test(breaker, tells_once_that_it_opened_and_that_it_closed)
{
    struct breakers *breakers = breakers_new(4);
    cr_expect_eq(breakers_note(breakers, URL, &ANSWER, 0), BREAKER_UNCHANGED);
    cr_expect_eq(breakers_note(breakers, URL, &TIMEOUT, 0), BREAKER_UNCHANGED);
    cr_expect_eq(breakers_note(breakers, URL, &TIMEOUT, 0), BREAKER_UNCHANGED);
    cr_expect_eq(breakers_note(breakers, URL, &TIMEOUT, 0), BREAKER_HAS_OPENED);
    cr_expect_eq(breakers_note(breakers, URL, &TIMEOUT, 0), BREAKER_UNCHANGED);
    breakers_probe(breakers, URL);
    cr_expect_eq(breakers_note(breakers, URL, &PROBE_TIMEOUT, 1000), BREAKER_UNCHANGED);
    breakers_probe(breakers, URL);
    cr_expect_eq(breakers_note(breakers, URL, &ANSWER, 2000), BREAKER_HAS_CLOSED);
    cr_expect_eq(breakers_note(breakers, URL, &ANSWER, 2000), BREAKER_UNCHANGED);
    breakers_free(breakers);
}

Test(breaker, one_address_says_nothing_about_another)
{
    struct breakers *breakers = breakers_new(4);
    for (int i = 0; i < BREAKER_TIMEOUTS; i++)
        breakers_note(breakers, URL, &TIMEOUT, 0);
    cr_expect_eq(breakers_rule(breakers, URL, 0), BREAKER_REFUSE);
    cr_expect_eq(breakers_rule(breakers, span_of("http://ca.example/b"), 0), BREAKER_ASK);
    breakers_free(breakers);
}

Test(breaker, only_trouble_is_remembered_and_not_without_bound)
{
    struct breakers *breakers = breakers_new(4);
    char url[32];
    for (int i = 0; i < 1000; i++) {
        snprintf(url, sizeof url, "http://%d.example/", i);
        breakers_note(breakers, span_of(url), &ANSWER, i);
    }
    cr_expect_eq(breakers_count(breakers), 0);
    for (int i = 0; i < 1000; i++) {
        snprintf(url, sizeof url, "http://%d.example/", i);
        breakers_note(breakers, span_of(url), &TIMEOUT, i);
        breakers_note(breakers, URL, &TIMEOUT, i); /* heard of all the time: stays */
        cr_expect_leq(breakers_count(breakers), 4);
    }
    cr_expect_eq(breakers_count(breakers), 4);
    cr_expect_eq(breakers_state(breakers, URL), BREAKER_OPEN);
    cr_expect_eq(breakers_state(breakers, span_of("http://0.example/")), BREAKER_CLOSED);

    size_t at = 0, open = 0, all = 0;
    struct span each;
    enum breaker_state state;
    while (breakers_next(breakers, &at, &each, &state)) {
        all++;
        open += state == BREAKER_OPEN;
    }
    cr_expect_eq(all, 4);
    cr_expect_eq(open, 1);
    breakers_probe(breakers, span_of("http://forgotten.example/"));
    breakers_free(breakers);
    breakers_free(NULL);
}
