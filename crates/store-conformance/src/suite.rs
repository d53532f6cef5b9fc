//! The cases, grouped by the parts of the contract, and the macro that makes tests of them.

/// Declares every case once: as a public path, and as a test in [`conformance_suite!`](crate::conformance_suite).
/// A case that is not listed is dead code, which the compiler reports.
macro_rules! cases {
    ($dollar:tt $($module:ident { $($case:ident)* })*) => {
        $(
            #[expect(missing_docs, reason = "a case's name is what it says of the store")]
            mod $module;
        )*

        /// The cases by name, for those who run them one by one.
        pub mod cases {
            $(
                #[doc = concat!("Cases of `", stringify!($module), "`.")]
                pub mod $module {
                    pub use super::super::$module::{$($case),*};
                }
            )*
        }

        /// Makes a test of every case, and one of random histories, over the stores of a [`Factory`](crate::Factory):
        /// an expression that is evaluated in each test.
        #[macro_export]
        macro_rules! conformance_suite {
            ($dollar factory:expr) => {
                $(
                    mod $module {
                        #[expect(unused_imports, reason = "for the factory's expression, which may need none of it")]
                        use super::*;

                        $(
                            #[test]
                            fn $case() {
                                let factory = $dollar factory;
                                $dollar crate::block_on($dollar crate::cases::$module::$case(&factory));
                            }
                        )*
                    }
                )*
            };
        }
    };
}

cases! { $
    engines {
        create_gives_back_the_whole_engine
        create_without_an_operation_stores_none
        create_refuses_the_name_of_a_live_engine
        an_engine_that_was_never_made_is_not_there
        update_replaces_the_content_and_raises_the_revision
        update_times_of_engines_go_forward
        update_refuses_another_revision
        update_refuses_an_earlier_engine_of_the_name
        delete_makes_everything_invisible_at_once
        live_sessions_hold_an_engine_without_force
        expired_and_deleted_sessions_do_not_hold_an_engine
        force_deletes_an_engine_with_sessions
        a_deleted_engines_name_is_free_at_once
        an_engine_can_be_deleted_many_times_before_a_purge
        engines_are_listed_newest_first
        locations_and_projects_never_see_each_other
        engine_ids_are_exact_texts
    }
    sessions {
        create_gives_back_the_whole_session
        create_refuses_the_name_of_a_live_session
        a_session_that_was_never_made_is_not_there
        a_session_expires_at_the_instant
        an_expired_name_is_free_at_once
        a_name_that_was_given_away_does_not_come_back
        a_deleted_name_is_free_at_once
        update_replaces_only_what_is_given
        update_times_of_sessions_go_forward
        update_refuses_another_user
        update_moves_the_end
        delete_makes_a_session_invisible_at_once
        engines_never_see_each_others_sessions
        odd_texts_come_back_as_they_are
        session_ids_are_exact_texts
    }
    state {
        scopes_are_shared_as_their_prefixes_say
        users_are_told_apart_exactly
        initial_state_is_merged_into_all_scopes
        deltas_replace_whole_values_and_the_last_one_wins
        deltas_are_merged_by_arrival_not_by_timestamp
        odd_keys_and_values_come_back_as_they_are
        a_long_key_and_a_large_value_are_kept
        many_keys_are_kept
        the_limit_counts_keys_with_prefix_and_values_of_all_scopes
        a_refused_delta_changes_nothing
        a_state_that_others_have_grown_may_stay_or_shrink
        initial_state_is_held_to_the_limit
        shared_state_outlives_its_sessions
        shared_state_ends_with_its_engine
    }
    events {
        append_gives_back_sequence_and_update_time
        payloads_come_back_as_they_are
        ids_of_18_and_19_digits_are_kept
        sequences_have_no_gaps_after_refusals
        events_of_one_append_follow_each_other
        many_events_are_appended_at_once
        an_append_that_one_event_spoils_leaves_nothing
        a_refused_append_leaves_nothing
        update_times_go_forward_by_a_microsecond_at_least
        an_append_moves_its_session_in_the_list
        events_are_sorted_by_timestamp_then_arrival
        times_of_every_age_are_kept
        sessions_never_see_each_others_events
    }
    requests {
        an_append_that_is_sent_again_is_done_once
        a_request_is_forgotten_with_time
        a_refused_write_leaves_no_request
        sessions_and_engines_have_requests_of_their_own
        a_session_is_made_once
        a_session_is_deleted_once
        requests_end_with_what_they_are_of
        a_purge_of_many_requests_goes_in_bounded_steps
        a_sweep_forgets_what_is_old
        one_of_many_same_requests_is_carried_out
    }
    operations {
        each_write_leaves_its_operation
        an_operation_is_found_by_its_id_within_its_location
        operations_are_listed_newest_first
        a_sessions_operations_end_with_it
        an_engines_operations_end_with_it
        an_engine_deletion_is_done_when_its_purge_is
        delete_forgets_an_operation
        an_operation_that_is_gone_with_its_parent_cannot_be_deleted
        a_purge_goes_on_without_its_operation
        sweep_forgets_what_ended_before
        sweep_goes_in_bounded_steps
        sweep_spares_what_has_not_ended
        a_parent_that_is_not_live_has_no_operations
    }
    paging {
        every_order_of_sessions
        pages_are_full_and_the_last_one_ends_the_list
        small_pages_hold_the_same_as_large_ones
        sessions_that_come_during_a_walk_disturb_nothing
        sessions_that_move_during_a_walk_disturb_no_others
        a_page_goes_on_where_its_last_row_was_deleted
        events_that_come_during_a_walk_disturb_nothing
        events_appended_behind_an_ascending_walk_are_met
        engines_and_operations_that_come_during_a_walk_disturb_nothing
        bad_cursors_are_refused
        a_cursor_is_good_for_more_than_one_use
    }
    filters {
        sessions_by_every_field
        sessions_of_one_user_in_every_order
        filters_do_not_show_what_is_not_live
        filters_as_callers_write_them
        events_by_every_field
        engines_by_every_field
        operations_by_every_field
    }
    upkeep {
        a_store_that_serves_is_healthy
        with_nothing_to_do_nothing_is_done
        the_horizon_is_the_one_that_was_kept_last
        upkeep_is_somebodys
        expiry_deletes_what_is_due_and_nothing_else
        expiry_goes_in_bounded_steps_over_all_engines
        an_extended_session_is_not_swept
        a_purge_of_sessions_goes_in_bounded_steps
        a_purge_of_engines_goes_in_bounded_steps
        work_goes_on_between_the_steps_of_a_purge
    }
    concurrency {
        appends_at_once_keep_one_order_for_each_session
        no_reader_sees_half_an_append
        what_was_acknowledged_is_seen_by_the_next_read
        one_of_many_makes_a_session
        one_of_many_makes_updates_and_deletes_an_engine
        appends_and_a_delete_agree_on_who_came_first
        many_nodes_may_do_upkeep_while_work_goes_on
    }
    histories {
        random_histories_are_those_of_the_model
    }
}
