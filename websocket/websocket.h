/* websocket.h - the NATS protocol inside WebSocket frames, for browsers.
 *
 * Contract of the module to come: bytes in, frames out, on wslay and zlib, without a socket. It will
 * hand the server one transport layer (upgrade, frames, permessage-deflate) that stands between TLS
 * and a protocol, and one listener kind. Until then the server refuses a `websocket` block.
 * Source: RFC 6455, RFC 7692. */
#ifndef WEBSOCKET_WEBSOCKET_H
#define WEBSOCKET_WEBSOCKET_H

#endif
