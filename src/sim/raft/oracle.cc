#include "sim/raft/oracle.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/hash.h"

namespace muster::raft::swarm {

void Oracle::complain(std::string what) {
    if (!complaint_) {
        complaint_ = std::move(what);
    }
}

void Oracle::look(const NodeId& node, const RaftCore& core, Eye& eye) {
    look_at_leader(node, core, eye);
    look_at_log(node, core, eye);
    look_at_commit(node, core, eye);
}

void Oracle::look_at_leader(const NodeId& node, const RaftCore& core, Eye& eye) {
    const bool leads = core.role() == ConsensusRole::leader;
    if (!leads) {
        eye.led = Term();
        return;
    }
    const RaftLog& log = core.log();
    if (eye.led == core.term()) {
        if (log.truncations() != eye.truncations || log.last() < eye.last) {
            complain(fmt::format("leader append-only: {} dropped entries in term {}", node.raw(),
                                 core.term().raw()));
        }
        return;
    }
    eye.led = core.term();
    const auto [reign, first] = leaders_.try_emplace(core.term(), node);
    if (!first) {
        complain(fmt::format("election safety: {} and {} lead in term {}", reign->second.raw(),
                             node.raw(), core.term().raw()));
    }
    // A candidate of the past may win late: it owes only what was agreed in terms before its own.
    LogIndex agreed(agreed_.size() - 1);
    while (agreed > LogIndex() && agreed_[agreed.raw()].in >= core.term()) {
        agreed = prior(agreed);
    }
    const Term term = agreed_[agreed.raw()].of;
    if (log.last() < agreed || (agreed >= log.base() && log.term_at(agreed) != term)) {
        complain(fmt::format("leader completeness: {} leads term {} without entry {} of term {}",
                             node.raw(), core.term().raw(), agreed.raw(), term.raw()));
    }
}

void Oracle::look_at_log(const NodeId& node, const RaftCore& core, Eye& eye) {
    const RaftLog& log = core.log();
    if (log.truncations() != eye.truncations) {
        eye.truncations = log.truncations();
        eye.checked = LogIndex();
    }
    for (LogIndex at = next(std::max(eye.checked, log.base())); at <= log.last(); at = next(at)) {
        const Entry& entry = log.at(at);
        const std::uint64_t before = log.term_at(prior(at)).value_or(Term()).raw();
        const std::uint64_t content = hash64(entry.data ? std::string_view(*entry.data) : "",
                                             before * 4 + static_cast<std::uint64_t>(entry.kind));
        const auto [known, first] = entries_.try_emplace({at, entry.term}, content);
        if (known->second != content) {
            complain(fmt::format("log matching: {} has another entry {} of term {}", node.raw(),
                                 at.raw(), entry.term.raw()));
        }
    }
    eye.checked = log.last();
    eye.last = log.last();
}

void Oracle::look_at_commit(const NodeId& node, const RaftCore& core, Eye& eye) {
    const RaftLog& log = core.log();
    for (LogIndex at = next(std::max(eye.commit, log.base())); at <= core.commit(); at = next(at)) {
        const Term term = log.at(at).term;
        if (at.raw() < agreed_.size()) {
            if (agreed_[at.raw()].of != term) {
                complain(
                    fmt::format("state machine safety: {} takes entry {} of term {} for "
                                "agreed, it was of term {}",
                                node.raw(), at.raw(), term.raw(), agreed_[at.raw()].of.raw()));
            }
        } else if (at.raw() == agreed_.size()) {
            agreed_.push_back({.of = term, .in = core.term()});
        } else {
            complain(fmt::format("{} agreed on {} before anybody on what stands before", node.raw(),
                                 at.raw()));
        }
    }
    eye.commit = std::max(eye.commit, core.commit());
}

void Oracle::on_apply(const NodeId& node, std::size_t position, LogIndex index, std::uint64_t id) {
    if (position < ids_.size()) {
        if (ids_[position] != id || indexes_[position] != index) {
            complain(
                fmt::format("state machine safety: {} applies command {} at {}, others {} at "
                            "{}",
                            node.raw(), id, index.raw(), ids_[position], indexes_[position].raw()));
        }
        return;
    }
    if (position > ids_.size()) {
        complain(fmt::format("{} is ahead of all that was applied", node.raw()));
        return;
    }
    if (refused_.contains(id)) {
        complain(fmt::format("command {} was refused for good and takes effect", id));
    }
    ids_.push_back(id);
    indexes_.push_back(index);
    if (!where_.try_emplace(id, index).second) {
        complain(fmt::format("command {} takes effect twice", id));
    }
}

void Oracle::on_restore(const NodeId& node, const std::vector<std::uint64_t>& ids) {
    if (ids.size() > ids_.size() || !std::equal(ids.begin(), ids.end(), ids_.begin())) {
        complain(fmt::format("state machine safety: {} took a state that never was", node.raw()));
    }
}

void Oracle::on_proposed(std::uint64_t id) {
    open_.insert(id);
}

void Oracle::on_acknowledged(std::uint64_t id, LogIndex index) {
    if (open_.erase(id) == 0) {
        complain(fmt::format("request {} was answered twice", id));
    }
    const auto where = where_.find(id);
    if (where == where_.end() || where->second != index) {
        complain(
            fmt::format("command {} was acknowledged at {} and is not there", id, index.raw()));
    }
    floor_ = std::max(floor_, index);
    ++acknowledged_;
}

void Oracle::on_refused(std::uint64_t id, bool for_good) {
    if (open_.erase(id) == 0) {
        complain(fmt::format("request {} was answered twice", id));
    }
    if (for_good) {
        refused_.insert(id);
        if (where_.contains(id)) {
            complain(fmt::format("command {} took effect and is refused for good", id));
        }
    }
}

void Oracle::on_read(const NodeId& node, LogIndex floor, LogIndex index, LogIndex applied) {
    if (index < floor || applied < index) {
        complain(
            fmt::format("linearizable reads: {} may read at {} having applied {}, somebody "
                        "had been told of {}",
                        node.raw(), index.raw(), applied.raw(), floor.raw()));
    }
    floor_ = std::max(floor_, index);
    ++reads_;
}

}  // namespace muster::raft::swarm
