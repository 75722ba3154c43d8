/* main.c - `threads NAME WORKERS` plays one scenario against the real server. */
#include "drive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    void (*run)(unsigned workers);
} SCENARIOS[] = {
    {"traffic",        run_traffic      },
    { "visibility",    run_visibility   },
    { "unsubscribe",   run_unsubscribe  },
    { "churn",         run_churn        },
    { "slow_consumer", run_slow_consumer},
    { "lame_duck",     run_lame_duck    },
    { "terminate",     run_terminate    },
    { "reload",        run_reload       },
    { "tls",           run_tls          },
    { "events",        run_events       },
    { "revoke",        run_revoke       },
    { "imports",       run_imports      },
    { "newcomers",     run_newcomers    },
};

int main(int argc, char **argv)
{
    unsigned long workers = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; workers > 0 && i < sizeof SCENARIOS / sizeof *SCENARIOS; i++)
        if (strcmp(argv[1], SCENARIOS[i].name) == 0) {
            SCENARIOS[i].run((unsigned)workers);
            peers_close_all();
            return 0;
        }
    fprintf(stderr, "usage: %s SCENARIO WORKERS\n", argv[0]);
    return 2;
}
