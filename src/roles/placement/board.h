#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "roles/placement/placement.h"

// The table with numbers for names, as the parts of plan() work on it.
namespace muster::placement {

struct Holder {
    std::size_t node = 0;
    msg::LogPosition held;
    bool synced = false;
};

struct BoardSlot {
    std::vector<Holder> holders;  // the leader first, when there is one
    bool has_leader = false;
    bool never_led = false;
    bool moved = false;  // its leader is another one than in the table
    std::optional<std::size_t> wish;
    std::vector<std::size_t> keep;  // who shall hold it; plan_copies()

    [[nodiscard]] Holder* find(std::size_t node);
    [[nodiscard]] bool holds(std::size_t node) const;
};

struct BoardNode {
    NodeId name;
    std::size_t zone = 0;  // numbered
    Standing standing = Standing::dead;
    bool replace = true;
    std::size_t led = 0;

    [[nodiscard]] bool live() const {
        return standing == Standing::live;
    }
};

// The cluster as a planner moves its pieces: who holds which slot after the changes made so far.
// Made and used within one call of plan(); bounded by the view.
class Board {
public:
    Board(const View& view, std::size_t copies);

    // Slots whose holders are others than in the table.
    [[nodiscard]] std::vector<Assignment> changes(const SlotTable& table) const;

    // `node` leads from now on and the leader before it follows. Requires: it holds the slot.
    void lead(BoardSlot& slot, std::size_t node);

    // Appends an empty copy.
    void add(BoardSlot& slot, std::size_t node);
    void drop(BoardSlot& slot, std::size_t node);

    // Copies under way: on nodes that are not dead, not synced, not leading.
    [[nodiscard]] std::size_t moving() const;

    // Pairs of holders in one zone: the fewer, the better spread.
    [[nodiscard]] std::size_t crowding(const std::vector<std::size_t>& holders) const;

    std::vector<BoardNode> nodes;
    std::vector<BoardSlot> slots;
    std::size_t copies = 1;
    bool unheard = false;  // some node is
};

constexpr std::size_t kNobody = static_cast<std::size_t>(-1);

// The furthest copy among the followers of that standing, kNobody when all are empty.
[[nodiscard]] std::size_t furthest(const Board& board, const BoardSlot& slot, Standing standing);

// The parts of plan().
void give_leaders(Board& board);
void carry_out_wishes(Board& board, std::size_t moving_max);
void place_copies(Board& board, std::size_t moving_max);
void even_out_leaders(Board& board, std::size_t moves_max);

}  // namespace muster::placement
