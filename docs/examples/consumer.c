// SPDX-License-Identifier: Apache-2.0
// cc consumer.c -o consumer -lnats
// consumer nats://reader-reports:PASSWORD@host:4222 VC_vc1 reports 'vc.vc1.*.*.*.eventex.com.vmware.vc.HA.>' [SINCE]
// SINCE is in seconds: date +%s -d '1 hour ago'. Not in nanoseconds: libnats 3.4 sends 5.012 s as 5.12 s.
#include <stdio.h>
#include <stdlib.h>
#include <nats/nats.h>

int
main(int argc, char **argv)
{
	natsOptions *options = NULL;
	natsConnection *nc = NULL;
	natsSubscription *sub = NULL;
	natsMsgList list;
	jsCtx *js = NULL;
	natsStatus s;
	char inbox[128];

	if (argc < 5)
		return fputs("usage: consumer URL STREAM DURABLE SUBJECT [SINCE]\n", stderr),
		       64;
	snprintf(inbox, sizeof(inbox), "_INBOX_reader-%s", argv[3]);
	jsSubOptions so = { .Stream = argv[2],
		.Config = { .Name = argv[3], .Durable = argv[3], .FilterSubject = argv[4] } };
	if (argc > 5) { // replay from a time; applies only when the durable is created
		so.Config.DeliverPolicy = js_DeliverByStartTime;
		so.Config.OptStartTime = atoll(argv[5]) * 1000000000;
	}
	if ((s = natsOptions_Create(&options)) || (s = natsOptions_SetURL(options, argv[1])) ||
		(s = natsOptions_SetCustomInboxPrefix(options, inbox)) ||
		(s = natsConnection_Connect(&nc, options)) ||
		(s = natsConnection_JetStream(&js, nc, NULL)) ||
		(s = js_PullSubscribe(&sub, js, argv[4], argv[3], NULL, &so, NULL)))
		return fprintf(stderr, "consumer: %s\n", nats_GetLastError(&s)), 1;
	// one at a time: libnats before 3.9 can write beyond the end of the list of a larger Fetch
	while ((s = natsSubscription_Fetch(&list, sub, 1, 5000, NULL)) == NATS_OK ||
		s == NATS_TIMEOUT) {
		for (int i = 0; s == NATS_OK && i < list.Count;
			i++) { // the data is a CloudEvent in structured mode
			printf("%.*s\n", natsMsg_GetDataLength(list.Msgs[i]),
				natsMsg_GetData(list.Msgs[i]));
			fflush(stdout);
			natsMsg_Ack(list.Msgs[i], NULL); // else it comes again
		}
		natsMsgList_Destroy(&list);
	}
	return fprintf(stderr, "consumer: %s\n", natsStatus_GetText(s)), 1;
}
