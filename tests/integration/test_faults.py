# SPDX-License-Identifier: Apache-2.0
"""
The guarantees of the collector, and the tests of each.

Each scenario runs against the simulator and a real nats-server. At its end, the stream has every event that vCenter has and
shows exactly once and no other event, and the collector's counters add up. VCOURIER_SEED sets the seed of random times.
VCOURIER_LONG=1 runs longer scenarios (100 kills, suspensions of 90 s, a backlog of a million). `make soak MINUTES=n` mixes all
faults.
"""
import ast
from pathlib import Path

PROMISES = """
start after the newest, suppress stored events     kill9_under_load, kill9_with_faults_of_vcenter
a new event history collector after a failed read  bad_reply, slow_and_trickling, silent, connection_faults_to_vcenter
late events: overlap and audit                     storm_ties_late_holes_wrap, open_collector_hides_late_events, scroll_order_is_by_time
stalls, long runs of hidden events                 hidden_events, hidden_events_at_the_very_beginning
   in one microsecond                              hidden_events_in_one_microsecond, hidden_events_of_one_type_in_one_microsecond
clock steps                                        clock_step, clock_steps, clock_step_while_no_collector_runs, steps_of_the_clock
wrong dates: ahead, back, all events               connection_lost_after_an_event_dated_ahead, events_dated_back, clock_corrected_while_the_collector_is_down,
                                                   restart_after_a_future_date_has_passed, the_latest_event_is_dated_far_ahead, where_reading_goes_on
no event from before startFrom                     events_dated_back, events_that_the_stream_dropped_are_not_stored_again
events stored later than auditWindow               events_stored_later_than_the_audit_window
a stream that is not in the order of dates         a_stream_that_is_not_in_the_order_of_dates
keys: wrap, restart                                storm_ties_late_holes_wrap, database_recreated
database re-created, restored (epoch, log, metric) database_recreated, restored_from_backup, a_key_with_another_time
purged before it was read: a gap record            events_purged_before_they_are_read
limit of collectors                                returns_sessions_and_collectors, bad_reply
session expiry, four shapes                        expiry, expiry_reported_only_by_a_missing_property
the account may not see all events                 missing_permission_at_start, permission_revoked_while_running
one session, one connection, Logout                one_session_over_one_connection, sigterm_logs_out_and_resumes
huge events, huge pages                            huge_events, page_larger_than_accepted, event_larger_than_a_page
one event that cannot be read holds up no other    event_larger_than_a_page, reply_that_ends_in_the_same_event_each_time,
                                                   event_without_a_key, event_that_cannot_be_parsed,
                                                   call_that_fails_at_the_same_event_each_time, calls_that_fail_at_every_event
vCenter restarts                                   vcenter_restarts
the fence: no loss, no duplicate                   what_is_complete_is_told, killed_after_a_hole, an_end_is_confirmed_by_the_leader,
                                                   a_second_writer_hides_no_hole, an_unanswered_message_is_no_conflict
where to begin; checkpoint, checkpointDir          start_from, checkpoint_options_are_accepted_without_effect
two writers without a lease                        two_collectors, two_writers_one_is_suspended
the lease                                          takeover_within_15_seconds_of_a_kill, takeover_at_once_on_sigterm, suspended_leader_resumes,
                                                   one_of_many_gets_it, it_is_handed_over, lease_outlives_a_server
several vCenters                                   two_vcenters_one_file
disk or stream full, deleted, purged, forbidden    disk_full, stream_full_pauses, stream_deleted, stream_purged, permission_revoked
NATS killed, suspended, cut off, without quorum    nats_killed_and_restarted, nats_and_collector_killed_together, nats_suspended,
                                                   connection_faults_to_nats, leader_of_three_killed, quorum_lost, replicas_that_caught_up_are_identical
NATS after a power cut                             nats_after_a_power_cut, end_of_the_stream_lost_while_idle,
                                                   a_lagging_leader_is_not_taken_for_a_shorter_stream
SIGSTOP                                            suspended_process_resumes
adaptive polling, gzip                             polls_less_often_when_idle, replies_are_compressed_unless_from_this_machine
TLS: private CA, thumbprint; proxy                 untrusted_certificate, pinned_thumbprint, through_a_proxy
passwordFile, back-off of logins                   a_changed_password_file, wrong_password_is_tried_rarely
lag, reasons of /readyz                            lag_is_reported_while_it_lasts, missing_permission_at_start
memory                                             memory_is_flat_under_a_backlog
"""


def functions(path):
    """The test names of a Python file, without `test_`; all words of a C file."""
    text = path.read_text()
    if path.suffix == ".c":
        return set(text.replace("(", " ").split())
    return {f.name[len("test_"):] for f in ast.walk(ast.parse(text)) if isinstance(f, ast.FunctionDef) and f.name.startswith("test_")}


def test_each_promise_has_its_tests():
    here = Path(__file__).parent
    known = set().union(*map(functions, [*here.glob("test_*.py"), *(here.parent / "unit").glob("*_test.c")]))
    named = {name.strip() for line in PROMISES.splitlines() for name in line[51:].split(",") if name.strip()}
    assert len(named) > 50 and sorted(named - known) == []
