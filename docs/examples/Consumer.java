// SPDX-License-Identifier: Apache-2.0
// io.nats:jnats 2.21.4
// java Consumer nats://reader-reports:PASSWORD@host:4222 VC_vc1 reports 'vc.vc1.*.*.*.eventex.com.vmware.vc.HA.>' [SINCE]
import io.nats.client.*;
import io.nats.client.api.*;
import io.nats.client.support.JsonParser;
import io.nats.client.support.JsonValue;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.util.LinkedHashSet;
import java.util.Map;

public class Consumer {
    public static void main(String[] args) throws Exception {
        ConsumerConfiguration.Builder config = ConsumerConfiguration.builder().durable(args[2]).filterSubject(args[3]);
        if (args.length > 4) { // replay from a time, RFC 3339; applies only when the durable is created
            config.deliverPolicy(DeliverPolicy.ByStartTime).startTime(ZonedDateTime.parse(args[4]));
        }
        Connection nc = Nats.connect(Options.builder().server(args[0]).maxReconnects(-1).build());
        try {
            nc.jetStreamManagement().getConsumerInfo(args[1], args[2]);
        } catch (JetStreamApiException missing) {
            nc.jetStreamManagement().addOrUpdateConsumer(args[1], config.build());
        }
        IterableConsumer events = nc.getConsumerContext(args[1], args[2]).iterate();
        LinkedHashSet<String> seen = new LinkedHashSet<>(); // the last 10,000 events; to know them after a restart, keep their keys with your results
        while (true) {
            Message message = events.nextMessage(Duration.ofSeconds(30));
            if (message == null) {
                continue; // no event for 30 s
            }
            Map<String, JsonValue> event = JsonParser.parse(message.getData()).map; // a CloudEvent in structured mode
            if (seen.add(event.get("source").string + " " + event.get("id").string)) { // an event may come again
                System.out.println(event.get("id").string + " " + event.get("subject").string + " "
                    + event.get("data").map.get("FullFormattedMessage").string);
            }
            if (seen.size() > 10_000) {
                seen.remove(seen.iterator().next());
            }
            message.ack(); // without an ack within ack_wait, the event is delivered again
        }
    }
}
