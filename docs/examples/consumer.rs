// SPDX-License-Identifier: Apache-2.0
// consumer host:4222 reader-reports PASSWORD VC_vc1 reports 'vc.vc1.*.*.*.eventex.com.vmware.vc.HA.>' [SINCE]
use async_nats::jetstream::consumer::{pull, AckPolicy, DeliverPolicy};
use futures_util::StreamExt;
use time::{format_description::well_known::Rfc3339, OffsetDateTime};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let (stream, durable, subject) = (&args[4], &args[5], &args[6]);
    // not in the URL: async-nats 0.51 does not log in with a user that is in it
    let options = async_nats::ConnectOptions::with_user_and_password(args[2].clone(), args[3].clone());
    let nats = options.connect(args[1].clone()).await?;
    let mut config = pull::Config {
        durable_name: Some(durable.clone()),
        filter_subject: subject.clone(),
        ack_policy: AckPolicy::Explicit,
        ..Default::default()
    };
    if let Some(since) = args.get(7) { // replay from a time; applies only when the durable is created
        config.deliver_policy = DeliverPolicy::ByStartTime { start_time: OffsetDateTime::parse(since, &Rfc3339)? };
    }
    let jetstream = async_nats::jetstream::new(nats);
    let consumer = jetstream.create_consumer_on_stream(config, stream.clone()).await?;
    let mut messages = consumer.messages().await?;
    let mut seen = std::collections::HashSet::new(); // to know them after a restart, keep these keys with your results
    while let Some(message) = messages.next().await {
        let message = message?;
        let event: serde_json::Value = serde_json::from_slice(&message.payload)?; // a CloudEvent in structured mode
        if seen.insert((event["source"].to_string(), event["id"].to_string())) { // an event may come again
            println!("{} {} {}", event["id"].as_str().unwrap_or(""), event["subject"], event["data"]["FullFormattedMessage"]);
        }
        if seen.len() > 10_000 {
            seen.clear();
        }
        message.ack().await?; // without an ack within ack_wait, the event is delivered again
    }
    Ok(())
}
