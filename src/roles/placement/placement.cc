#include "roles/placement/placement.h"

#include <algorithm>

#include <fmt/format.h>

#include "roles/placement/board.h"

namespace muster::placement {
namespace {

std::string why_protected(const std::vector<DataNode>& nodes, std::size_t protected_nodes) {
    const auto dead = static_cast<std::size_t>(std::ranges::count_if(
        nodes, [](const DataNode& node) { return node.standing == Standing::dead; }));
    const std::size_t live = nodes.size() - dead;
    if (protected_nodes > 0) {
        return live >= protected_nodes
                   ? std::string()
                   : fmt::format(
                         "{} data nodes live, and {} are protected: copies stay where they "
                         "are until so many live or placement is forced",
                         live, protected_nodes);
    }
    if (2 * live >= nodes.size()) {
        return {};
    }
    return fmt::format(
        "{} of {} known data nodes are dead: copies stay where they are until half "
        "of them live, the dead are removed or placement is forced",
        dead, nodes.size());
}

}  // namespace

Plan plan(const View& view, const Options& options) {
    Board board(view, std::max<std::size_t>(options.copies, 1));
    Plan result;
    result.protected_why = why_protected(view.nodes, options.protected_nodes);
    give_leaders(board);
    carry_out_wishes(board, options.moving_max);
    const bool is_protected = view.mode != Mode::forced && !result.protected_why.empty();
    const bool hold = view.mode == Mode::stopped || board.unheard || is_protected;
    if (!hold) {
        place_copies(board, options.moving_max);
        even_out_leaders(board, options.leads_max);
    }
    result.assignments = board.changes(view.table);
    result.moving = board.moving();
    return result;
}

std::vector<Assignment> plan_restart(const View& view, const NodeId& node) {
    Board board(view, 1);
    std::vector<Assignment> result;
    for (BoardSlot& slot : board.slots) {
        if (!slot.has_leader || board.nodes[slot.holders.front().node].name != node) {
            continue;
        }
        const std::size_t next = furthest(board, slot, Standing::live);
        if (next != kNobody) {
            board.lead(slot, next);
        }
    }
    return board.changes(view.table);
}

}  // namespace muster::placement
