// SPDX-License-Identifier: Apache-2.0
/*
 * What the collector is compared with: cnats' own asynchronous publish in a loop, with the
 * messages of a stream that is there (data, Content-Type, Nats-Msg-Id; not the fence), to
 * another stream of the same server. Usage: publish_loop URL STREAM N WINDOW; prints
 * seconds and seconds of CPU time.
 */
#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loop.h"

static void
check(natsStatus s, const char *what)
{
	if (s != NATS_OK) {
		fprintf(stderr, "publish_loop: %s: %s\n", what, natsStatus_GetText(s));
		exit(1);
	}
}

/* The first n messages; taken with an ordered push subscription. */
static natsMsg **
load(jsCtx *js, const char *stream, int n)
{
	natsMsg **msgs = calloc((size_t)n, sizeof(natsMsg *));
	natsSubscription *sub = NULL;
	jsSubOptions options;

	jsSubOptions_Init(&options);
	options.Stream = stream;
	options.Ordered = true;
	check(js_SubscribeSync(&sub, js, "vc.>", NULL, &options, NULL), "subscribe");
	natsSubscription_SetPendingLimits(sub, -1, -1);
	for (int i = 0; i < n; i++)
		check(natsSubscription_NextMsg(&msgs[i], sub, 10000), "next message");
	natsSubscription_Destroy(sub);
	return msgs;
}

int
main(int argc, char **argv)
{
	natsConnection *nc = NULL;
	jsPubOptions publish;
	jsStreamConfig stream;
	jsOptions options;
	natsMsg **msgs;
	jsCtx *js = NULL;
	double start;
	clock_t cpu;
	int n;

	if (argc != 5)
		return 64;
	n = atoi(argv[3]);
	check(natsConnection_ConnectTo(&nc, argv[1]), "connect");
	jsOptions_Init(&options);
	options.PublishAsync.MaxPending = atoi(argv[4]);
	check(natsConnection_JetStream(&js, nc, &options), "JetStream");
	msgs = load(js, argv[2], n);
	jsStreamConfig_Init(&stream);
	stream.Name = "BARE";
	stream.Subjects = (const char *[]){ "bare.>" };
	stream.SubjectsLen = 1;
	check(js_AddStream(NULL, js, &stream, NULL, NULL), "add stream");
	jsPubOptions_Init(&publish);
	publish.MaxWait = 30000;
	start = loop_now();
	cpu = clock();
	for (int i = 0; i < n; i++) {
		char subject[512];
		const char *id = NULL, *type = "";
		natsMsg *msg = NULL;

		snprintf(subject, sizeof(subject), "bare.%s", natsMsg_GetSubject(msgs[i]));
		natsMsgHeader_Get(msgs[i], "Nats-Msg-Id", &id);
		publish.MsgId = id;
		check(natsMsg_Create(&msg, subject, NULL, natsMsg_GetData(msgs[i]),
			      natsMsg_GetDataLength(msgs[i])),
			"message");
		natsMsgHeader_Get(msgs[i], "Content-Type", &type);
		check(natsMsgHeader_Set(msg, "Content-Type", type), "header");
		check(js_PublishMsgAsync(js, &msg, &publish), "publish");
	}
	publish.MaxWait = 60000;
	check(js_PublishAsyncComplete(js, &publish), "complete");
	printf("%.6f %.4f\n", loop_now() - start, loop_cpu(cpu));
	check(js_DeleteStream(js, stream.Name, NULL, NULL), "delete stream");
	for (int i = 0; i < n; i++)
		natsMsg_Destroy(msgs[i]);
	free(msgs);
	jsCtx_Destroy(js);
	natsConnection_Destroy(nc);
	return 0;
}
