/* leafnode.h - links to other NATS servers: accepted (hub) and dialled (remotes).
 *
 * Contract of the module to come: the leafnode protocol as another reader and writer of the server's
 * router, with interest propagation, loop detection and S2 compression; it will hand the server one
 * row of struct protocol and one listener kind. Until then the server refuses a `leafnodes` block.
 * Source: NATS leafnode protocol. */
#ifndef LEAFNODE_LEAFNODE_H
#define LEAFNODE_LEAFNODE_H

#endif
