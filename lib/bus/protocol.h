// SPDX-License-Identifier: Apache-2.0
/*
 * The names on the bus: streams, subjects, KV buckets and headers. They are an interface to
 * other programs, to permissions and to messages that are already stored. So a name never
 * changes its meaning, and no other file writes one as a literal. schemas/asyncapi.json
 * describes the messages for other programs, compose/nats/users.py the permissions.
 *
 * subject.h names the streams of events: VC_<vCenter>, subjects <prefix>.<vCenter>.>. A <name>
 * here is always a token as subject_add_token writes it.
 */
#ifndef VCOURIER_PROTOCOL_H
#define VCOURIER_PROTOCOL_H

/* ---- streams and subjects */

/*
 * Dead letters: vcdead.<dispatcher>.<subject of the event without its first token>. Written by
 * dispatchers, read and removed by `vcourier dead`.
 */
#define DEAD_STREAM "VCDEAD"
#define DEAD_PREFIX "vcdead"

/*
 * Replays, events for one dispatcher only: vcreplay.<dispatcher>.<the rest as above>. Written
 * by `vcourier replay` and `vcourier dead redrive`, read by that dispatcher.
 */
#define REPLAY_STREAM "VCREPLAY"
#define REPLAY_PREFIX "vcreplay"

/*
 * vcourier.status.<dispatcher>: a request (no stream). Each running replica of the dispatcher
 * replies with a JSON object (dispatcher/report.c); `vcourier status` asks.
 */
#define STATUS_PREFIX "vcourier.status"

/* vcourier.status.collector.<source>: the same, of collectors (collector/collect_report.c). */
#define STATUS_COLLECTOR_PREFIX STATUS_PREFIX ".collector"

/*
 * vcourier.catalogue.<source>: a request (no stream). The collector that reads replies with the
 * source's descriptions of events, in several messages (collector/catalogue_report.c);
 * `vcourier events` asks.
 */
#define CATALOGUE_PREFIX "vcourier.catalogue"

/* ---- KV buckets: https://github.com/nats-io/nats-architecture-and-design, ADR-8 */

#define KV_STREAM(bucket) "KV_" bucket       /* the stream that holds a bucket */
#define KV_SUBJECT(bucket) "$KV." bucket "." /* then the key */

/* Key lease.<vCenter>: which of several collectors reads this vCenter. collector/lease.c */
#define LEASE_BUCKET "vcourier"

/*
 * Written and read by dispatchers.
 *
 * Key <dispatcher>.<stream>, value "<sequence> <µs since 1970>": the dispatcher has settled all
 * events up to this sequence; the time is when the stream stored that event.
 *
 * Key <dispatcher>.targets, value JSON: the targets that its backend listed last
 * (dispatcher/saved_list.h). No stream has this name.
 */
#define CHECKPOINT_BUCKET "vcourier-checkpoints"
#define CHECKPOINT_KEY_TARGETS "targets"

/* ---- headers of NATS */

/* https://docs.nats.io/nats-concepts/jetstream/headers */
#define HEADER_MSG_ID "Nats-Msg-Id" /* the server drops a second message with it */
#define HEADER_EXPECTED_LAST_SEQ "Nats-Expected-Last-Sequence"
#define HEADER_EXPECTED_LAST_SUBJECT_SEQ "Nats-Expected-Last-Subject-Sequence"
#define HEADER_TIME_STAMP "Nats-Time-Stamp" /* of a DIRECT.GET reply: when it was stored */
#define HEADER_PENDING_MESSAGES "Nats-Pending-Messages" /* of a pull's status reply */
#define HEADER_KV_OPERATION "KV-Operation"              /* DEL, PURGE: the key is removed */
#define HEADER_CONTENT_TYPE "Content-Type"

/* ---- headers of events, written by the collector, read by the next collector */

/*
 * RFC 3339, a createdTime; the epoch means the earliest time. Absent: everything created
 * before the newest createdTime of the stream was stored when this message was sent. Only the
 * newest message of a collector counts.
 */
#define HEADER_COMPLETE_BEFORE "Vcourier-Complete-Before"

/*
 * The createdTime of this message is not a reading position: it is "ahead" of the vCenter's
 * clock, or far "behind" the position. A collector that reads the end of the stream counts the
 * message as stored and takes nothing else from it.
 */
#define HEADER_OUT_OF_ORDER "Vcourier-Out-Of-Order"

/* ---- headers of replays; dispatchers read them */

#define HEADER_TARGET "Vcourier-Target" /* deliver to this target only; also of dead letters */

/* ---- headers of dead letters, written by dispatchers, read by `vcourier dead` */

/* Where the event is stored. */
#define HEADER_STREAM "Vcourier-Stream"
#define HEADER_SEQUENCE "Vcourier-Sequence"
#define HEADER_STORED "Vcourier-Stored"   /* when, RFC 3339 */
#define HEADER_SUBJECT "Vcourier-Subject" /* with the configured prefix */
#define HEADER_ORIGINAL_MSG_ID "Vcourier-Msg-Id"

/* Why the dispatcher gave up. */
#define HEADER_REASON "Vcourier-Reason" /* rejected, gave_up, invalid_event, poison, ... */
#define HEADER_ERROR "Vcourier-Error"   /* the last one, for people */
#define HEADER_STATUS "Vcourier-Status" /* of the last HTTP response; absent: none came */
#define HEADER_DISPATCHER "Vcourier-Dispatcher" /* eventProcessor.name */
#define HEADER_ATTEMPTS "Vcourier-Attempts"     /* requests that this replica sent */
#define HEADER_DELIVERIES "Vcourier-Deliveries" /* by NATS to replicas of the dispatcher */
#define HEADER_FIRST_ATTEMPT "Vcourier-First-Attempt" /* RFC 3339, as the next */
#define HEADER_LAST_ATTEMPT "Vcourier-Last-Attempt"

/* Present when a part of the event did not fit; a redrive then reads it from its stream. */
#define HEADER_BODY_OMITTED "Vcourier-Body"                /* the body; a text for people */
#define HEADER_HEADERS_OMITTED "Vcourier-Headers-Left-Out" /* how many headers */

/*
 * Prefixes (any case) of headers that describe the message that carries them. They are not
 * copied into a dead letter or a replay.
 */
#define HEADER_PREFIX_OWN "vcourier-"
#define HEADER_PREFIX_NATS "nats-"

#endif
