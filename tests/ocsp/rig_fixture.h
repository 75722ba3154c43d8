/* rig_fixture.h - a rig for each test of a file, with a cache in memory and the usual options. */
#ifndef TESTS_OCSP_RIG_FIXTURE_H
#define TESTS_OCSP_RIG_FIXTURE_H

#include "ocsp/rig.h"

static struct rig rig;
static struct ocsp_peer_options options;

static inline void start(void)
{
    rig_start(&rig, OCSP_CACHE_LOCAL);
    options = rig_options();
}

/* At the end of each test, not a .fini: what fails there is no failure to Criterion. */
static inline void stop(void)
{
    rig_stop(&rig);
}

#endif
