#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/ids.h"
#include "msg/outbox.h"

namespace muster::verify {

// Something of one slot that differs, or that could not be compared.
struct Finding {
    enum class Kind : std::uint8_t {
        // ---- differences
        two_leaders,      // `leader` and `node` lead in one epoch
        copy_differs,     // `node` is where `leader` was, and holds something else
        session_differs,  // `leader` holds something else of session `node` than that has
        // ---- not compared
        no_leader,  // nobody who answered leads the slot
        unmade,     // `node` is to follow, and has no whole copy yet
        behind,     // `node` was not seen where `leader` was
        stands_in,  // `node` serves the slot in the stead of its leader
        unserved,   // session `node` reaches nobody who holds the slot
        unsettled,  // session `node` and its server changed, or had something on the way
    };
    Kind kind = Kind::no_leader;
    SlotId slot;
    NodeId leader;
    NodeId node;
    Incarnation life = {};                    // of session `node`
    std::uint32_t leader_has = 0;             // publications
    std::uint32_t node_has = 0;               // publications
    std::optional<std::uint64_t> lacks = {};  // changes, when that can be said
    std::string service = {};                 // data_info_id of the first that differs, if found
    std::string publication = {};             // id of the first that differs, if found
};

// Whether it is a difference; else it could not be compared.
[[nodiscard]] bool is_difference(Finding::Kind kind);
// Whether `leader_has` and `node_has` tell something.
[[nodiscard]] bool has_counts(Finding::Kind kind);
[[nodiscard]] std::string_view to_string(Finding::Kind kind);
// What was seen, and what to do about it: sentences without their full stop.
[[nodiscard]] std::string sentence_of(const Finding& finding);
[[nodiscard]] std::string advice_on(const Finding& finding);

// What a verification saw.
struct Report {
    static constexpr std::size_t kFindingsMax = 1000;  // of each kind of list

    Epoch table_epoch;
    std::size_t slots = 0;
    std::size_t slots_equal = 0;  // all that is to be compared was, and is equal
    std::size_t copies = 0;       // leaders' included
    std::size_t copies_equal = 0;
    std::size_t sessions = 0;              // that answered
    std::uint64_t publications = 0;        // in the leaders' copies
    std::uint64_t orphans = 0;             // of these: their session ended
    std::uint64_t held_back = 0;           // of these: their session fell silent
    std::vector<Finding> differences;      // by slot
    std::vector<Finding> open;             // not compared, by slot
    bool more = false;                     // there are more than kFindingsMax of one
    std::vector<msg::RoleAddress> silent;  // who did not answer
    std::uint32_t rounds = 0;
    Duration took{};

    enum class Verdict : std::uint8_t {
        equal,
        different,
        incomplete,  // nothing differs as far as could be compared
    };
    [[nodiscard]] Verdict verdict() const;
};

[[nodiscard]] std::string_view to_string(Report::Verdict verdict);

}  // namespace muster::verify
