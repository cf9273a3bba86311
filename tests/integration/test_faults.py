# SPDX-License-Identifier: Apache-2.0
"""
Nothing lost, nothing twice: which test shows what the collector promises.

Each scenario runs against the simulator's ground truth and a real nats-server and ends with the books: every event that
vCenter holds and shows is in the stream once, none twice, none made up, and the collector's counters add up.
VCOURIER_SEED chooses the random instants. VCOURIER_LONG=1 is the long form (100 kills, standstills of 90 s, a backlog of a
million); `make soak MINUTES=n` mixes everything for as long as one likes.
"""
import ast
from pathlib import Path

PROMISES = """
begin behind the newest, suppress what is stored   kill9_under_load, kill9_with_faults_of_vcenter
a new collector after each failed read             bad_reply, slow_and_trickling, silent, the_way_to_vcenter
late events: overlap and audit                     storm_ties_late_holes_wrap, open_collector_hides_late_events, scroll_order_by_time
stalls, runs of hidden events                      hidden_events, hidden_events_at_the_very_beginning
   in one microsecond; when nothing helps          hidden_events_in_one_microsecond, hidden_events_of_one_type_in_one_microsecond
clock steps                                        clock_step, clock_steps, clock_step_while_nobody_reads, steps_of_the_clock
wrong dates: ahead, back, all of them              cut_off_after_an_event_dated_ahead, events_dated_back, clock_put_right_while_the_collector_is_down,
                                                   restarted_when_a_wrong_date_has_become_the_past, the_latest_event_is_dated_far_ahead, where_reading_goes_on
nothing from before startFrom, nothing forgotten   events_dated_back, what_the_stream_has_forgotten_does_not_come_back
later than the audit looks                         later_than_the_audit_looks_while_others_keep_coming
a stream that is not in the order of dates         a_month_that_the_stream_refuses
keys: wrap, restart                                storm_ties_late_holes_wrap, database_recreated
database re-created, restored (epoch, log, metric) database_recreated, restored_from_backup, a_key_with_another_time
purged before it was read: a gap record            purge_before_it_was_read
limit of collectors                                gives_sessions_and_collectors_back, bad_reply
session expiry, four shapes                        expiry, expiry_that_only_a_missing_property_tells
the account may not see all events                 not_allowed_at_start, revoked_while_running
one session, one connection, Logout                one_session_one_connection, sigterm_logs_out_and_resumes
huge events, huge pages                            huge_events, page_larger_than_accepted
vCenter restarts                                   vcenter_restarts
the fence: no loss, no duplicate                   what_is_complete_is_told, killed_behind_a_hole, an_end_is_confirmed_by_the_leader,
                                                   a_second_writer_hides_no_hole, an_unanswered_message_is_no_conflict
where to begin; checkpoint, checkpointDir          start_from, checkpoint_options_are_honoured_in_meaning
two writers without a lease                        two_collectors, two_writers_one_stops_and_goes_on
the lease                                          takeover_within_15_seconds_of_a_kill, takeover_at_once_on_sigterm, leader_stands_still_and_goes_on,
                                                   one_of_many_gets_it, it_is_handed_over, lease_outlives_a_server
several vCenters                                   two_vcenters_one_file
disk full, stream full, deleted, purged, forbidden disk_full, stream_full_pauses, stream_deleted, stream_purged, permission_revoked
NATS killed, stopped, cut off, without quorum      nats_killed_and_restarted, nats_and_collector_killed_together, nats_stands_still,
                                                   the_way_to_nats, leader_of_three_killed, quorum_lost, replicas_that_caught_up_hold_the_same
NATS after a power cut                             nats_after_a_power_cut, end_of_the_stream_lost_while_nothing_happens,
                                                   a_leader_that_is_behind_is_no_shorter_stream
SIGSTOP                                            stopped_process_goes_on
adaptive polling, gzip                             polls_less_when_nothing_happens, replies_are_compressed_unless_on_this_machine
TLS: private CA, thumbprint; proxy                 untrusted_certificate, pinned_thumbprint, through_a_proxy
passwordFile, back-off of logins                   rotated_password_file, wrong_password_is_tried_once_in_a_while
lag, reasons of /readyz                            lag_is_told_while_it_lasts, not_allowed_at_start
memory                                             memory_is_flat_under_a_backlog
"""


def functions(path):
    """What a test file defines, without `test_`; of C, every word."""
    text = path.read_text()
    if path.suffix == ".c":
        return set(text.replace("(", " ").split())
    return {f.name[len("test_"):] for f in ast.walk(ast.parse(text)) if isinstance(f, ast.FunctionDef) and f.name.startswith("test_")}


def test_each_promise_has_its_tests():
    here = Path(__file__).parent
    known = set().union(*map(functions, [*here.glob("test_*.py"), *(here.parent / "unit").glob("*_test.c")]))
    named = {name.strip() for line in PROMISES.splitlines() for name in line[51:].split(",") if name.strip()}
    assert len(named) > 50 and sorted(named - known) == []
