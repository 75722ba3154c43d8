/* mqtt.h - MQTT 3.1.1 and 5 clients on the same subjects as NATS clients.
 *
 * Contract of the module to come: packets, sessions, retained messages and wills on top of the
 * server's router; it will hand the server one row of struct protocol and one listener kind. Until
 * then the server refuses an `mqtt` block.
 * Source: OASIS MQTT 3.1.1, MQTT 5.0. */
#ifndef MQTT_MQTT_H
#define MQTT_MQTT_H

#endif
