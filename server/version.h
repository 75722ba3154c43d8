/* version.h - the versions that we tell the world. Ours is VOUCH_VERSION, defined by the build. */
#ifndef SERVER_VERSION_H
#define SERVER_VERSION_H

/** The nats-server release whose protocol and behaviour we speak: clients switch features by it. */
#define VOUCH_NATS_VERSION "2.14.5"

#endif
