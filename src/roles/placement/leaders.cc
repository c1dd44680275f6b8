#include <algorithm>
#include <deque>
#include <tuple>

#include "roles/placement/board.h"

namespace muster::placement {
namespace {

std::vector<std::size_t> nodes_of(const BoardSlot& slot) {
    std::vector<std::size_t> all;
    for (const Holder& holder : slot.holders) {
        all.push_back(holder.node);
    }
    return all;
}

// Of the live nodes that `may` allows, the one that leads least.
template <typename May>
std::size_t idlest(const Board& board, const May& may) {
    std::size_t best = kNobody;
    for (std::size_t node = 0; node < board.nodes.size(); ++node) {
        const bool better = best == kNobody || board.nodes[node].led < board.nodes[best].led;
        if (board.nodes[node].live() && better && may(node)) {
            best = node;
        }
    }
    return best;
}

void begin(Board& board, BoardSlot& slot, std::vector<std::size_t>& load) {
    std::vector<std::size_t> chosen;
    while (chosen.size() < board.copies) {
        std::size_t best = kNobody;
        std::tuple<std::size_t, std::size_t> best_cost;
        for (std::size_t node = 0; node < board.nodes.size(); ++node) {
            if (!board.nodes[node].live() || std::ranges::find(chosen, node) != chosen.end()) {
                continue;
            }
            chosen.push_back(node);
            const std::tuple cost(board.crowding(chosen), load[node]);
            chosen.pop_back();
            if (best == kNobody || cost < best_cost) {
                best = node;
                best_cost = cost;
            }
        }
        if (best == kNobody) {
            break;
        }
        chosen.push_back(best);
    }
    const std::size_t leader = idlest(
        board, [&](std::size_t node) { return std::ranges::find(chosen, node) != chosen.end(); });
    if (leader == kNobody) {
        return;
    }
    slot.holders.push_back({.node = leader, .held = {}, .synced = true});
    for (const std::size_t node : chosen) {
        ++load[node];
        if (node != leader) {
            slot.holders.push_back({.node = node, .held = {}, .synced = false});
        }
    }
    slot.has_leader = true;
    slot.moved = true;
    ++board.nodes[leader].led;
}

void replace_dead_leader(Board& board, BoardSlot& slot) {
    std::size_t next = furthest(board, slot, Standing::live);
    if (next == kNobody) {
        next = furthest(board, slot, Standing::leaving);
    }
    if (next == kNobody && std::ranges::any_of(slot.holders, [&](const Holder& one) {
            return board.nodes[one.node].standing == Standing::unheard;
        })) {
        return;  // it will be heard, or found dead, within a lease
    }
    if (next == kNobody) {
        next = idlest(board, [&](std::size_t node) { return slot.holds(node); });
    }
    if (next == kNobody) {
        next = idlest(board, [](std::size_t) { return true; });
    }
    if (next == kNobody) {
        return;
    }
    if (!slot.holds(next)) {
        board.add(slot, next);
    }
    board.lead(slot, next);
    for (std::size_t at = slot.holders.size(); at-- > 1 && slot.holders.size() > board.copies;) {
        if (board.nodes[slot.holders[at].node].standing == Standing::dead) {
            board.drop(slot, slot.holders[at].node);
        }
    }
}

// Edges from leaders to synced followers: (to, slot), one slot for each pair.
using Edges = std::vector<std::vector<std::pair<std::size_t, std::size_t>>>;

bool can_lead(const Board& board, const BoardSlot& slot, const Holder& holder) {
    return board.nodes[holder.node].live() && holder.synced &&
           std::ranges::find(slot.keep, holder.node) != slot.keep.end();
}

Edges edges_of(const Board& board) {
    Edges edges(board.nodes.size());
    for (std::size_t i = 0; i < board.slots.size(); ++i) {
        const BoardSlot& slot = board.slots[i];
        if (!slot.has_leader || slot.moved || slot.wish ||
            !can_lead(board, slot, slot.holders.front())) {
            continue;
        }
        auto& from = edges[slot.holders.front().node];
        for (std::size_t at = 1; at < slot.holders.size(); ++at) {
            const std::size_t to = slot.holders[at].node;
            const bool known =
                std::ranges::any_of(from, [to](const auto& edge) { return edge.first == to; });
            if (!known && can_lead(board, slot, slot.holders[at])) {
                from.emplace_back(to, i);
            }
        }
    }
    return edges;
}

// The slots to hand on, last first, so that a node that leads at least two less than `source` leads
// one more. Shortest path; empty: there is none.
std::vector<std::pair<std::size_t, std::size_t>> path_to_idler(const Board& board,
                                                               const Edges& edges,
                                                               std::size_t source) {
    struct Step {
        std::size_t from = kNobody;
        std::size_t slot = 0;
    };
    std::vector<Step> reached(board.nodes.size());
    std::deque<std::size_t> open{source};
    while (!open.empty()) {
        const std::size_t at = open.front();
        open.pop_front();
        if (board.nodes[at].led + 2 <= board.nodes[source].led) {
            std::vector<std::pair<std::size_t, std::size_t>> path;
            for (std::size_t node = at; node != source; node = reached[node].from) {
                path.emplace_back(node, reached[node].slot);
            }
            return path;
        }
        for (const auto& [to, slot] : edges[at]) {
            if (to != source && reached[to].from == kNobody) {
                reached[to] = {.from = at, .slot = slot};
                open.push_back(to);
            }
        }
    }
    return {};
}

}  // namespace

std::size_t furthest(const Board& board, const BoardSlot& slot, Standing standing) {
    const Holder* best = nullptr;
    for (std::size_t at = 1; at < slot.holders.size(); ++at) {
        const Holder& one = slot.holders[at];
        if (board.nodes[one.node].standing != standing || one.held.epoch == Epoch()) {
            continue;
        }
        const bool further =
            best == nullptr || one.held > best->held ||
            (one.held == best->held && board.nodes[one.node].led < board.nodes[best->node].led);
        if (further) {
            best = &one;
        }
    }
    return best == nullptr ? kNobody : best->node;
}

void give_leaders(Board& board) {
    std::vector<std::size_t> load(board.nodes.size());
    for (const BoardSlot& slot : board.slots) {
        for (const Holder& holder : slot.holders) {
            ++load[holder.node];
        }
    }
    for (BoardSlot& slot : board.slots) {
        if (slot.never_led) {
            begin(board, slot, load);
            continue;
        }
        const Standing standing = board.nodes[slot.holders.front().node].standing;
        if (standing == Standing::dead) {
            replace_dead_leader(board, slot);
        } else if (standing == Standing::leaving) {
            const std::size_t next = idlest(board, [&](std::size_t node) {
                const Holder* holder = slot.find(node);
                return holder != nullptr && holder->synced;
            });
            if (next != kNobody) {
                board.lead(slot, next);
            }
        }
    }
}

void carry_out_wishes(Board& board, std::size_t moving_max) {
    std::size_t moving = board.moving();
    for (BoardSlot& slot : board.slots) {
        if (!slot.has_leader || slot.moved) {
            continue;
        }
        const BoardNode& leader = board.nodes[slot.holders.front().node];
        std::optional<std::size_t> wanted = slot.wish;
        const bool nobody_to_lead = leader.standing == Standing::leaving &&
                                    std::ranges::none_of(nodes_of(slot), [&](std::size_t node) {
                                        return board.nodes[node].live();
                                    });
        if (nobody_to_lead && (!wanted || !board.nodes[*wanted].live())) {
            const std::size_t next = idlest(board, [](std::size_t) { return true; });
            wanted = next == kNobody ? wanted : std::optional(next);
        }
        if (!wanted || !board.nodes[*wanted].live() || slot.holders.front().node == *wanted) {
            continue;
        }
        const Holder* holder = slot.find(*wanted);
        if (holder == nullptr && moving < moving_max) {
            board.add(slot, *wanted);
            ++moving;
        } else if (holder != nullptr && holder->synced) {
            board.lead(slot, *wanted);
        }
    }
}

void even_out_leaders(Board& board, std::size_t moves_max) {
    std::size_t moves = 0;
    while (moves < moves_max) {
        const Edges edges = edges_of(board);
        std::vector<std::size_t> sources;
        for (std::size_t node = 0; node < board.nodes.size(); ++node) {
            if (!edges[node].empty()) {
                sources.push_back(node);
            }
        }
        std::ranges::stable_sort(sources, [&](std::size_t a, std::size_t b) {
            return board.nodes[a].led > board.nodes[b].led;
        });
        bool found = false;
        for (const std::size_t source : sources) {
            const auto path = path_to_idler(board, edges, source);
            for (const auto& [to, slot] : path) {
                board.lead(board.slots[slot], to);
            }
            moves += path.size();
            found = !path.empty();
            if (found) {
                break;
            }
        }
        if (!found) {
            return;
        }
    }
}

}  // namespace muster::placement
