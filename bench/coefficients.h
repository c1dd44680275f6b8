#pragma once

#include <cstddef>

#include "effort.h"

namespace muster::bench {

// What one of each thing costs in real processes. Memory is resident bytes of user space, CPU is
// user and system time of the process.
struct Coefficients {
    // ---- memory, in bytes
    double meta_base = 0;  // a process that has just started, in a cluster
    double data_base = 0;
    double session_base = 0;
    // Beyond what the change logs of slots keep, which stop growing (slot_log).
    double leader_publication = 0;
    double follower_publication = 0;
    double session_publication = 0;  // of a client of the session
    double slot_log = 0;             // of one slot, at a leader, when it is full
    double connection = 0;           // that says nothing but heartbeats
    double watched_service = 0;      // at a session: the first subscription, without the list
    double watched_publication = 0;  // in the list of a watched service, at a session
    double subscription = 0;         // every other one of the same service at the session
    double interest = 0;             // of one session in one service, at the leader

    // ---- CPU, in microseconds, of one change that comes alone
    double publisher_cpu = 0;   // at the session of its client
    double leader_cpu = 0;      // at the leader, with one session to tell
    double follower_cpu = 0;    // for each follower, at both ends
    double subscriber_cpu = 0;  // at a session, with one client to tell
    double frame_cpu = 0;  // of a frame between nodes that says that nothing happened, received
                           // and answered

    // ---- links
    double change_bytes = 0;      // of one change, with one follower and one session to tell
    double headers_per_byte = 0;  // of TCP and IP, for each byte of a link at rest
    double rest_bytes_per_s = 0;  // of one meta, two data servers and two sessions at rest
    double rest_frames_per_s = 0;
};

// Starts clusters of one to some two dozen processes, one after another, and ends them.
[[nodiscard]] Coefficients measure_coefficients(const Effort& effort);

// Only what publications, subscriptions and connections take of memory.
[[nodiscard]] Coefficients measure_memory(const Effort& effort);

}  // namespace muster::bench
