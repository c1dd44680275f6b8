#include <algorithm>
#include <tuple>

#include "roles/placement/board.h"

namespace muster::placement {
namespace {

constexpr std::size_t kNobody = static_cast<std::size_t>(-1);

bool among(const std::vector<std::size_t>& nodes, std::size_t node) {
    return std::ranges::find(nodes, node) != nodes.end();
}

// First decides who shall hold each slot (`keep`), as few changes as lead there, then takes the
// next steps: new copies are added at once, old ones given up when all that stay are synced.
class CopyPlacer {
public:
    CopyPlacer(Board& board, std::size_t moving_max)
        : board_(board), load_(board.nodes.size()), live_(0) {
        const std::size_t moving = board.moving();
        budget_ = moving_max - std::min(moving, moving_max);
        for (std::size_t node = 0; node < board.nodes.size(); ++node) {
            live_ += board.nodes[node].live() ? 1 : 0;
        }
    }

    void run() {
        begin();
        for (BoardSlot& slot : board_.slots) {
            shrink(slot);
        }
        fill(1);
        fill(board_.copies);
        spread();
        even_out();
        for (BoardSlot& slot : board_.slots) {
            take_steps(slot);
        }
    }

private:
    [[nodiscard]] const BoardNode& node(std::size_t number) const {
        return board_.nodes[number];
    }

    void begin() {
        for (BoardSlot& slot : board_.slots) {
            slot.keep.clear();
            for (const Holder& holder : slot.holders) {
                if (!node(holder.node).replace) {
                    slot.keep.push_back(holder.node);
                    ++load_[holder.node];
                }
            }
        }
    }

    // Too many: the least useful goes, then the one in the most crowded zone, then the one on the
    // fullest node. Among equals the order of names decides and not who leads, or a slot that hands
    // over to be given up would think the same of its new leader.
    void shrink(BoardSlot& slot) {
        while (slot.keep.size() > board_.copies) {
            std::size_t victim = kNobody;
            std::tuple<int, std::size_t, std::size_t, std::size_t> best;
            for (const std::size_t one : slot.keep) {
                if (slot.wish == one) {
                    continue;
                }
                std::vector<std::size_t> rest = slot.keep;
                std::erase(rest, one);
                const int use = node(one).standing == Standing::dead      ? 0
                                : node(one).standing == Standing::leaving ? 1
                                                                          : 2;
                const std::tuple cost(use, board_.crowding(rest), board_.slots.size() - load_[one],
                                      one);
                if (victim == kNobody || cost < best) {
                    victim = one;
                    best = cost;
                }
            }
            std::erase(slot.keep, victim);
            --load_[victim];
        }
    }

    // Copies for slots that have fewer than `wanted` on live nodes.
    void fill(std::size_t wanted) {
        for (BoardSlot& slot : board_.slots) {
            while (slot.has_leader && slot.keep.size() < board_.copies && live_of(slot) < wanted) {
                const std::size_t next = best_home(slot.keep);
                if (next == kNobody || !take_budget(slot, next)) {
                    break;
                }
                slot.keep.push_back(next);
                ++load_[next];
            }
        }
    }

    [[nodiscard]] std::size_t live_of(const BoardSlot& slot) const {
        return static_cast<std::size_t>(
            std::ranges::count_if(slot.keep, [&](std::size_t one) { return node(one).live(); }));
    }

    [[nodiscard]] std::size_t best_home(std::vector<std::size_t> holders) const {
        std::size_t best = kNobody;
        std::tuple<std::size_t, std::size_t> best_cost;
        for (std::size_t one = 0; one < board_.nodes.size(); ++one) {
            if (!node(one).live() || among(holders, one)) {
                continue;
            }
            holders.push_back(one);
            const std::tuple cost(board_.crowding(holders), load_[one]);
            holders.pop_back();
            if (best == kNobody || cost < best_cost) {
                best = one;
                best_cost = cost;
            }
        }
        return best;
    }

    bool take_budget(const BoardSlot& slot, std::size_t next) {
        if (slot.holds(next)) {
            return true;
        }
        if (budget_ == 0) {
            return false;
        }
        --budget_;
        return true;
    }

    // Nothing is under way there, so that a new move may begin.
    [[nodiscard]] bool quiet(const BoardSlot& slot) const {
        return slot.has_leader && !slot.moved && slot.keep.size() == slot.holders.size() &&
               std::ranges::all_of(slot.holders, [&](const Holder& holder) {
                   return node(holder.node).live() && holder.synced &&
                          among(slot.keep, holder.node);
               });
    }

    void move(BoardSlot& slot, std::size_t from, std::size_t to) {
        std::erase(slot.keep, from);
        slot.keep.push_back(to);
        --load_[from];
        ++load_[to];
        --budget_;
    }

    [[nodiscard]] static std::vector<std::size_t> with(const BoardSlot& slot, std::size_t from,
                                                       std::size_t to) {
        std::vector<std::size_t> next = slot.keep;
        std::erase(next, from);
        next.push_back(to);
        return next;
    }

    void spread() {
        for (BoardSlot& slot : board_.slots) {
            const std::size_t before = board_.crowding(slot.keep);
            if (before == 0 || budget_ == 0 || !quiet(slot)) {
                continue;
            }
            std::tuple<std::size_t, std::size_t, std::size_t> best(before, 0, 0);
            std::optional<std::pair<std::size_t, std::size_t>> found;
            for (const std::size_t from : slot.keep) {
                for (std::size_t to = 0; to < board_.nodes.size(); ++to) {
                    if (!node(to).live() || among(slot.keep, to) || slot.wish == from) {
                        continue;
                    }
                    const std::tuple cost(board_.crowding(with(slot, from, to)),
                                          load_[to] + board_.slots.size() - load_[from],
                                          from == slot.holders.front().node ? 1 : 0);
                    if (std::get<0>(cost) < before && (!found || cost < best)) {
                        best = cost;
                        found = {from, to};
                    }
                }
            }
            if (found) {
                move(slot, found->first, found->second);
            }
        }
    }

    void even_out() {
        std::vector<std::vector<BoardSlot*>> of(board_.nodes.size());
        for (BoardSlot& slot : board_.slots) {
            if (quiet(slot)) {
                for (const Holder& holder : slot.holders) {
                    of[holder.node].push_back(&slot);
                }
            }
        }
        while (budget_ > 0 && move_one(of)) {
        }
    }

    // From the fullest node that can give to the emptiest that can take from it.
    bool move_one(const std::vector<std::vector<BoardSlot*>>& of) {
        std::vector<std::size_t> by_load;
        for (std::size_t one = 0; one < board_.nodes.size(); ++one) {
            if (node(one).live()) {
                by_load.push_back(one);
            }
        }
        std::ranges::stable_sort(by_load,
                                 [&](std::size_t a, std::size_t b) { return load_[a] < load_[b]; });
        for (auto from = by_load.rbegin(); from != by_load.rend(); ++from) {
            for (const std::size_t to : by_load) {
                if (load_[*from] < load_[to] + 2) {
                    break;
                }
                if (BoardSlot* slot = movable(of[*from], *from, to)) {
                    move(*slot, *from, to);
                    return true;
                }
            }
        }
        return false;
    }

    // A slot that may go from one to the other; rather one that `from` does not lead.
    [[nodiscard]] BoardSlot* movable(const std::vector<BoardSlot*>& held, std::size_t from,
                                     std::size_t to) const {
        BoardSlot* led = nullptr;
        for (BoardSlot* slot : held) {
            const bool can = among(slot->keep, from) && !slot->holds(to) &&
                             !among(slot->keep, to) && slot->wish != from &&
                             slot->keep.size() == slot->holders.size() &&
                             std::ranges::all_of(slot->holders, [&](const Holder& holder) {
                                 return among(slot->keep, holder.node);
                             });
            if (!can || board_.crowding(with(*slot, from, to)) > board_.crowding(slot->keep)) {
                continue;
            }
            if (slot->holders.front().node != from) {
                return slot;
            }
            led = led == nullptr ? slot : led;
        }
        return led;
    }

    void take_steps(BoardSlot& slot) {
        if (!slot.has_leader) {
            return;
        }
        const bool complete = !slot.keep.empty() &&
                              slot.keep.size() >= std::min(board_.copies, live_) &&
                              std::ranges::all_of(slot.keep, [&](std::size_t one) {
                                  const Holder* holder = slot.find(one);
                                  return holder != nullptr && holder->synced && node(one).live();
                              });
        for (const std::size_t one : slot.keep) {
            if (!slot.holds(one)) {
                board_.add(slot, one);
            }
        }
        if (complete && !slot.moved) {
            give_up_rest(slot);
            return;
        }
        give_up_dead(slot);
    }

    // The dead leave as others come; where nobody comes they stay named, in case they return.
    void give_up_dead(BoardSlot& slot) {
        for (std::size_t at = slot.holders.size();
             at-- > 1 && slot.holders.size() > board_.copies;) {
            const std::size_t one = slot.holders[at].node;
            if (node(one).standing == Standing::dead && !among(slot.keep, one)) {
                board_.drop(slot, one);
            }
        }
    }

    // One step at a time: who shall not stay first hands over, and goes when the new leader knows
    // that all are synced with it.
    void give_up_rest(BoardSlot& slot) {
        const std::size_t leader = slot.holders.front().node;
        if (!among(slot.keep, leader)) {
            std::size_t next = slot.keep.front();
            for (const std::size_t one : slot.keep) {
                next = node(one).led < node(next).led ? one : next;
            }
            board_.lead(slot, next);
            return;
        }
        for (std::size_t at = slot.holders.size(); at-- > 1;) {
            const std::size_t one = slot.holders[at].node;
            if (!among(slot.keep, one) && node(one).standing != Standing::dead) {
                board_.drop(slot, one);
            }
        }
        give_up_dead(slot);
    }

    Board& board_;
    std::vector<std::size_t> load_;  // slots that each node shall hold
    std::size_t live_;
    std::size_t budget_ = 0;  // copies that may be begun
};

}  // namespace

void place_copies(Board& board, std::size_t moving_max) {
    CopyPlacer(board, moving_max).run();
}

}  // namespace muster::placement
