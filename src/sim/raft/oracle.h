#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "raft/raft_core.h"

namespace muster::raft::swarm {

// Sees everything that happens in a Cluster and says the first thing that must not be. Memory grows
// with the run; one per run.
//
// Checked: election safety, leader append-only, log matching, leader completeness, state machine
// safety (Raft thesis, figure 3.2), every acknowledged write survives, what was refused for good
// never takes effect, reads are linearizable, every request is answered at most once.
class Oracle {
public:
    // What a checker remembers of one life of one node.
    struct Eye {
        Term led;  // zero: did not lead when last looked at
        LogIndex last;
        LogIndex checked;
        LogIndex commit;
        std::uint64_t truncations = 0;
    };

    // After every event of a node.
    void look(const NodeId& node, const RaftCore& core, Eye& eye);

    // A machine applied its `position`th command.
    void on_apply(const NodeId& node, std::size_t position, LogIndex index, std::uint64_t id);
    // A machine took over a state.
    void on_restore(const NodeId& node, const std::vector<std::uint64_t>& ids);

    void on_proposed(std::uint64_t id);
    void on_acknowledged(std::uint64_t id, LogIndex index);
    void on_refused(std::uint64_t id, bool for_good);
    // Returns what the read must not be below.
    [[nodiscard]] LogIndex read_floor() const {
        return floor_;
    }
    void on_read(const NodeId& node, LogIndex floor, LogIndex index, LogIndex applied);

    void complain(std::string what);
    [[nodiscard]] const std::optional<std::string>& complaint() const {
        return complaint_;
    }
    [[nodiscard]] const std::vector<std::uint64_t>& order() const {
        return ids_;
    }
    [[nodiscard]] std::size_t acknowledged() const {
        return acknowledged_;
    }
    [[nodiscard]] std::size_t reads() const {
        return reads_;
    }
    [[nodiscard]] std::size_t reigns() const {
        return leaders_.size();
    }

private:
    struct Agreed {
        Term of;  // of the entry
        Term in;  // in which it was agreed
    };

    void look_at_log(const NodeId& node, const RaftCore& core, Eye& eye);
    void look_at_commit(const NodeId& node, const RaftCore& core, Eye& eye);
    void look_at_leader(const NodeId& node, const RaftCore& core, Eye& eye);

    std::map<Term, NodeId> leaders_;
    std::map<std::pair<LogIndex, Term>, std::uint64_t> entries_;
    std::vector<Agreed> agreed_{Agreed{}};  // by index
    std::vector<std::uint64_t> ids_;        // in their agreed order
    std::vector<LogIndex> indexes_;
    std::map<std::uint64_t, LogIndex> where_;
    std::unordered_set<std::uint64_t> open_;
    std::unordered_set<std::uint64_t> refused_;
    LogIndex floor_;
    std::size_t acknowledged_ = 0;
    std::size_t reads_ = 0;
    std::optional<std::string> complaint_;
};

}  // namespace muster::raft::swarm
