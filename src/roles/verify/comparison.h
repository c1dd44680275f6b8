#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "model/cluster.h"
#include "msg/verify.h"
#include "roles/verify/report.h"

namespace muster::verify {

// What the holders of slots said in one round.
struct Answers {
    std::map<NodeId, msg::VerifyReply> data;
    std::map<NodeId, msg::VerifySessionReply> sessions;
};

// Compares what the holders of slots say, round by round. A pure decision.
//
// Positions of copies are compared over all rounds: a follower that was seen where its leader was
// in another look is compared with that. Values of a session and its server are believed to differ
// when kSteady rounds in a row had them so.
//
// Requires of the caller: every question of a round is asked after the last answer of the one
// before, so that what two rounds in a row have in common was so at one time everywhere.
// Bounds: one entry for each copy, and session, of each slot; as many looks as rounds.
class Comparison {
public:
    static constexpr int kSteady = 3;

    // `table` says who is to hold copies; those that did not answer are no part of it.
    void add(const Answers& answers, const SlotTable& table);

    // What another round may decide.
    [[nodiscard]] std::vector<SlotId> open() const;

    // Fills in all but who was silent, rounds and time.
    [[nodiscard]] Report report() const;

private:
    enum class Verdict : std::uint8_t { open, equal, different };

    struct Held {
        SetDigest digest;
        std::uint32_t count = 0;
        [[nodiscard]] bool operator==(const Held&) const = default;
    };
    using Looks = std::map<LogPosition, Held>;

    struct Pair {
        Verdict verdict = Verdict::open;
        Finding finding;  // while it is not equal
        Looks looks;      // of a follower
        // Of a session: it and its server, in how many rounds in a row.
        std::optional<std::pair<Held, Held>> last;
        int steady = 0;
    };
    struct SlotState {
        NodeId leader;  // empty: nobody who answered leads it
        Epoch epoch;
        Looks looks;  // of the leader
        LogPosition held;
        std::uint32_t publications = 0;
        std::uint32_t orphans = 0;
        std::uint32_t held_back = 0;
        NodeId rival;            // leads in the same epoch
        NodeId stand_in;         // acts for the leader
        std::size_t silent = 0;  // who did not answer and is wanted for this slot
        std::size_t copies = 0;  // that there should be
        std::map<NodeId, Pair> followers;
        std::map<NodeId, Pair> sessions;

        [[nodiscard]] bool is_open() const;
        [[nodiscard]] bool is_equal() const;
        void begin(const NodeId& new_leader, Epoch new_epoch);
    };
    class Round;

    static void report_slot(SlotId id, const SlotState& state, Report& report);

    Epoch table_epoch_;
    std::size_t sessions_ = 0;
    std::map<SlotId, SlotState> slots_;
};

}  // namespace muster::verify
