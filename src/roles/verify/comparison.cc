#include "roles/verify/comparison.h"

#include <algorithm>
#include <set>

namespace muster::verify {
namespace {

using Copy = msg::VerifyReply::Copy;
using Kind = Finding::Kind;

}  // namespace

// What one round says of one slot, taken into what is known of it.
class Comparison::Round {
public:
    Round(SlotId id, const Answers& answers, SlotState& state)
        : id_(id), answers_(answers), state_(state) {
        for (const auto& [node, reply] : answers.data) {
            const auto copy = std::ranges::lower_bound(reply.copies, id, {}, &Copy::slot);
            if (copy != reply.copies.end() && copy->slot == id) {
                copies_.emplace(node, &*copy);
            }
        }
    }

    void look_at_leader() {
        const Copy* leader = nullptr;
        NodeId name;
        NodeId rival;
        state_.stand_in = {};
        for (const auto& [node, copy] : copies_) {
            if (copy->acting) {
                state_.stand_in = node;
            }
            if (!copy->leads || (leader != nullptr && copy->slot_epoch < leader->slot_epoch)) {
                continue;
            }
            const bool both = leader != nullptr && copy->slot_epoch == leader->slot_epoch;
            rival = both ? node : NodeId{};
            if (!both) {
                leader = copy;
                name = node;
            }
        }
        const Epoch epoch = leader == nullptr ? Epoch{} : leader->slot_epoch;
        if (name != state_.leader || epoch != state_.epoch) {
            state_.begin(name, epoch);
        }
        if (rival != NodeId{}) {
            state_.rival = rival;
        }
        if (leader != nullptr) {
            state_.looks.emplace(leader->held, held(*leader));
            state_.held = leader->held;
            state_.publications = leader->publications;
            state_.orphans = leader->orphans;
            state_.held_back = leader->held_back;
        }
    }

    void look_at_followers(const Slot& slot) {
        std::set<NodeId> wanted(slot.followers.begin(), slot.followers.end());
        if (state_.epoch > slot.epoch) {  // the table is older than the slot's present leader
            wanted.clear();
            for (const auto& [node, copy] : copies_) {
                if (node != state_.leader && copy->slot_epoch == state_.epoch) {
                    wanted.insert(node);
                }
            }
        }
        wanted.erase(state_.leader);
        std::erase_if(state_.followers,
                      [&](const auto& one) { return !wanted.contains(one.first); });
        state_.copies = wanted.size() + 1;
        for (const NodeId& node : wanted) {
            if (!answers_.data.contains(node)) {
                ++state_.silent;
                state_.followers.erase(node);
            } else if (state_.followers[node].verdict == Verdict::open) {
                look_at_follower(node, state_.followers[node]);
            }
        }
    }

    void look_at_session(const msg::VerifySessionReply& session) {
        using Word = msg::VerifySessionReply::Slot;
        const auto word = std::ranges::lower_bound(session.slots, id_, {}, &Word::slot);
        Pair& pair = state_.sessions[session.session];
        if (pair.verdict != Verdict::open) {
            return;
        }
        const bool known = word != session.slots.end() && word->slot == id_;
        if (!known || word->server == NodeId{}) {
            keep_open(pair,
                      {.kind = Kind::unserved, .slot = id_, .leader = {}, .node = session.session});
            return;
        }
        if (!answers_.data.contains(word->server)) {
            ++state_.silent;
            state_.sessions.erase(session.session);
            return;
        }
        const Held its{word->digest, word->count};
        const std::optional<Held> servers = held_of(word->server, session);
        if (servers == its) {
            pair.verdict = Verdict::equal;
            return;
        }
        const Finding finding{.kind = Kind::unsettled,
                              .slot = id_,
                              .leader = word->server,
                              .node = session.session,
                              .life = session.life,
                              .leader_has = servers ? servers->count : 0,
                              .node_has = its.count};
        if (!servers || word->pending) {
            keep_open(pair, finding);
            return;
        }
        const auto now = std::pair(its, *servers);
        pair.steady = pair.last == now ? pair.steady + 1 : 1;
        pair.last = now;
        pair.finding = finding;
        if (pair.steady >= kSteady) {
            pair.verdict = Verdict::different;
            pair.finding.kind = Kind::session_differs;
        }
    }

private:
    static Held held(const Copy& copy) {
        return {copy.digest, copy.publications};
    }
    static void keep_open(Pair& pair, const Finding& finding) {
        pair.finding = finding;
        pair.last.reset();
        pair.steady = 0;
    }

    void look_at_follower(const NodeId& node, Pair& pair) {
        const auto found = copies_.find(node);
        pair.finding = {.kind = Kind::unmade, .slot = id_, .leader = state_.leader, .node = node};
        if (found == copies_.end()) {
            return;
        }
        const Copy& copy = *found->second;
        if (copy.acting) {
            pair.finding.kind = Kind::stands_in;
            return;
        }
        if (!copy.whole) {
            return;
        }
        pair.finding.kind = Kind::behind;
        if (copy.held.epoch == state_.held.epoch && copy.held.number <= state_.held.number) {
            pair.finding.lacks = state_.held.number - copy.held.number;
        }
        pair.looks.emplace(copy.held, held(copy));
        for (const auto& [position, look] : pair.looks) {
            const auto leaders = state_.looks.find(position);
            if (leaders == state_.looks.end() || pair.verdict == Verdict::different) {
                continue;
            }
            const bool equal = leaders->second == look;
            pair.verdict = equal ? Verdict::equal : Verdict::different;
            if (!equal) {
                pair.finding.kind = Kind::copy_differs;
                pair.finding.leader_has = leaders->second.count;
                pair.finding.node_has = look.count;
            }
        }
    }

    // What `server` holds of the session; nothing when it does not serve the slot.
    [[nodiscard]] std::optional<Held> held_of(const NodeId& server,
                                              const msg::VerifySessionReply& session) {
        const auto copy = copies_.find(server);
        if (copy == copies_.end() || (!copy->second->leads && !copy->second->acting)) {
            return std::nullopt;
        }
        auto [owners, first] = owners_.try_emplace(server);
        if (first) {
            for (const auto& owner : copy->second->owners) {
                owners->second[{owner.session, owner.life}] = {owner.digest, owner.count};
            }
        }
        const auto found = owners->second.find({session.session, session.life});
        return found == owners->second.end() ? Held{} : found->second;
    }

    SlotId id_;
    const Answers& answers_;
    SlotState& state_;
    std::map<NodeId, const Copy*> copies_;
    std::map<NodeId, std::map<std::pair<NodeId, Incarnation>, Held>> owners_;  // by server
};

void Comparison::SlotState::begin(const NodeId& new_leader, Epoch new_epoch) {
    leader = new_leader;
    epoch = new_epoch;
    looks.clear();
    followers.clear();
    sessions.clear();
}

bool Comparison::SlotState::is_open() const {
    const auto any_open = [](const auto& pairs) {
        return std::ranges::any_of(
            pairs, [](const auto& one) { return one.second.verdict == Verdict::open; });
    };
    return rival == NodeId{} && (leader == NodeId{} || any_open(followers) || any_open(sessions));
}

bool Comparison::SlotState::is_equal() const {
    const auto all_equal = [](const auto& pairs) {
        return std::ranges::all_of(
            pairs, [](const auto& one) { return one.second.verdict == Verdict::equal; });
    };
    return rival == NodeId{} && leader != NodeId{} && silent == 0 && all_equal(followers) &&
           all_equal(sessions);
}

void Comparison::add(const Answers& answers, const SlotTable& table) {
    const bool first = slots_.empty();
    table_epoch_ = table.epoch;
    sessions_ = std::max(sessions_, answers.sessions.size());
    for (std::size_t i = 0; i < table.slots.size(); ++i) {
        const SlotId id(static_cast<std::uint16_t>(i));
        SlotState& state = slots_[id];
        if (!first && !state.is_open()) {
            continue;
        }
        state.silent = 0;
        Round round(id, answers, state);
        round.look_at_leader();
        round.look_at_followers(table.slots[i]);
        for (const auto& [node, session] : answers.sessions) {
            round.look_at_session(session);
        }
    }
}

std::vector<SlotId> Comparison::open() const {
    std::vector<SlotId> ids;
    for (const auto& [id, state] : slots_) {
        if (state.is_open()) {
            ids.push_back(id);
        }
    }
    return ids;
}

void Comparison::report_slot(SlotId id, const SlotState& state, Report& report) {
    const auto note = [&report](const Finding& finding) {
        auto& list = is_difference(finding.kind) ? report.differences : report.open;
        if (list.size() == Report::kFindingsMax) {
            report.more = true;
        } else {
            list.push_back(finding);
        }
    };
    if (state.rival != NodeId{}) {
        note({.kind = Kind::two_leaders, .slot = id, .leader = state.leader, .node = state.rival});
    }
    if (state.leader == NodeId{} && state.stand_in != NodeId{}) {
        note({.kind = Kind::stands_in, .slot = id, .leader = {}, .node = state.stand_in});
    } else if (state.leader == NodeId{}) {
        note({.kind = Kind::no_leader, .slot = id, .leader = {}, .node = {}});
    }
    for (const auto& [node, pair] : state.followers) {
        if (pair.verdict != Verdict::equal && state.leader != NodeId{}) {
            note(pair.finding);
        }
    }
    for (const auto& [node, pair] : state.sessions) {
        if (pair.verdict != Verdict::equal) {
            note(pair.finding);
        }
    }
}

Report Comparison::report() const {
    Report report{.table_epoch = table_epoch_, .slots = slots_.size(), .sessions = sessions_};
    for (const auto& [id, state] : slots_) {
        report.slots_equal += state.is_equal() ? 1 : 0;
        report.copies += state.copies;
        report.copies_equal += state.leader != NodeId{} ? 1 : 0;
        report.copies_equal += static_cast<std::size_t>(std::ranges::count_if(
            state.followers, [](const auto& one) { return one.second.verdict == Verdict::equal; }));
        report.publications += state.publications;
        report.orphans += state.orphans;
        report.held_back += state.held_back;
        report_slot(id, state, report);
    }
    return report;
}

}  // namespace muster::verify
