# SPDX-License-Identifier: Apache-2.0
"""The NATS accounts of a vcourier deployment: who is in them, what they share and what they use of others."""
from collections import namedtuple

from permissions import API, CATALOGUE, STATUS, STATUS_OF, cli, collector, connector, console, dispatcher, feed, pull, reader, stream_of

STREAMS = "VCOURIER"  # the account with the streams
ASKING = ("cli", "console", "console-operator")  # users that send status requests

# One account with one user, whose name it has; STREAMS has the user admin.
# publish: (allow, deny), subscribe: subjects; None: everything that the account has. answers: the user replies to requests of others.
# exports: {(kind, subject): names of the accounts that may import it}. imports: (kind, account, subject, local subject or None).
# kind: "service" for requests, "stream" for messages without a reply.
Account = namedtuple("Account", "name user publish subscribe answers exports imports")


def asks(subject):
    """Whether only the process with this subject answers it, not JetStream."""
    return subject.startswith((STATUS, CATALOGUE))


def several_replies(subject):
    """Pulls and status requests get more than one reply."""
    return "MSG.NEXT" in subject or asks(subject)


def program(name, rights, asked, answers, feeds):
    """
    One user in its own account, which imports exactly the subjects that the user may publish. A reply subject belongs to that
    account, so a user cannot direct the server's replies to the API or to a stream (docs/nats.md). Two details:
    - $JS.API.INFO is imported so that the server does not import the API of this account's own JetStream, which is disabled.
    - No subject with a wildcard is imported under another name, because a reply to such a name crashes nats-server (seen with 2.9.10, 2.10.27).
    asked: subjects of requests that this account answers. answers: (account, subject) of those that it may send.
    feeds: of a collector, (account, subject) of the messages that it shares; of a connector, (source, subject) of those that it
    receives. They come from the collector's account: a subscription without a wildcard in the account with the streams would be a
    place to which others could direct their push consumers.
    A user that receives feeds may subscribe to everything: its account has nothing else. The default inbox is allowed, because
    the account is the user's own.
    """
    received = feeds if name.startswith("connector-") else ()
    allow, deny = list(dict.fromkeys([f"{API}.INFO", *rights[0]])), rights[1]
    imports = [("service", STREAMS, subject, None) for subject in allow if not asks(subject)]
    imports += [("service", account, subject, None) for account, subject in answers]
    imports += [("stream", f"collector-{source}", subject, None) for source, subject in received]
    exports = {}
    for account, subject in () if received else feeds:
        exports.setdefault(("stream", subject), []).append(account)
    exports |= {("service", subject): list(ASKING) for subject in asked}
    subscribe = [">"] if received else ["_INBOX.>", f"_INBOX_{name}.>", *asked]
    return Account(name, name, (allow, deny), subscribe, bool(asked), exports, imports)


def guest(name, subjects):
    """
    An account that may use one durable that an administrator created. Guests of earlier releases use the API prefix
    vcourier.API, so the requests are also imported under that name.
    """
    imports = []
    for subject in [f"{API}.INFO", *subjects]:
        imports.append(("service", STREAMS, subject, None))
        if subject.startswith(API):
            imports.append(("service", STREAMS, subject, subject.replace(API, "vcourier.API")))
    return Account(f"guest-{name}", f"guest-{name}", None, None, False, {}, imports)


def accounts(args):
    """All accounts. args: lists of names by kind; args.connector is {name: subjects}."""
    sources = args.vcenter + args.source
    durables = [*args.dispatcher, *args.reader, *args.connector, *args.guest]
    default = ["vc.>"] * bool(args.vcenter) + ["ce.>"] * bool(args.source)
    feeds = {f"connector-{c}": list(dict.fromkeys(f for s in subjects or default for f in feed(s, sources)))
             for c, subjects in args.connector.items()}
    rights = {f"collector-{v}": collector(v, durables) for v in sources}
    rights |= {f"dispatcher-{d}": dispatcher(d, sources) for d in args.dispatcher}
    rights |= {"cli": cli(sources, durables), "console": console(sources, durables), "console-operator": cli(sources, durables)}
    rights |= {f"reader-{r}": reader(r, sources) for r in args.reader}
    rights |= {c: connector(c.removeprefix("connector-"), received, sources) for c, received in feeds.items()}
    guests = {g: [subject for v in sources for subject in pull(stream_of(v), g)] for g in args.guest}
    feeds |= {f"collector-{source}": [(c, s) for c, received in feeds.items() for v, s in received if v == source]
              for source in sources}
    asked = {f"dispatcher-{d}": [STATUS_OF["dispatcher"].replace("*", d)] for d in args.dispatcher}
    asked |= {f"collector-{v}": [STATUS_OF["collector"].replace("*", v), CATALOGUE + v] for v in sources}
    answers = [(account, subject) for account, subjects in asked.items() for subject in subjects]
    users = [program(name, allowed, asked.get(name, ()), answers if name in ASKING else (), feeds.get(name, ()))
             for name, allowed in rights.items()] + [guest(g, subjects) for g, subjects in guests.items()]
    shared = {}
    for user in users:
        for kind, account, subject, local in user.imports:
            if account == STREAMS and local is None:
                shared.setdefault((kind, subject), []).append(user.name)
    return [Account(STREAMS, "admin", None, None, False, shared, []), *users]
