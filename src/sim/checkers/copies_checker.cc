#include "sim/checkers/copies_checker.h"

#include <algorithm>

#include <fmt/format.h>

namespace muster::sim {

CopiesChecker::CopiesChecker(Truth& truth, Registry& registry, Network& network, Process& process)
    : Checker(truth),
      registry_(registry),
      network_(network),
      self_{NodeId(process.name()), Role::session} {
    process.start();
    network_.attach(self_, process, [this]() -> msg::Receiver* { return this; });
}

void CopiesChecker::ask() {
    asked_ = truth_.now();
    ++query_;
    answers_.clear();
    msg::VerifyRequest request{.request = query_,
                               .asker = self_.node,
                               .asker_role = self_.role,
                               .session = {},
                               .slots = {},
                               .detail = {}};
    for (std::uint16_t slot = 0; slot < registry_.options().slots; ++slot) {
        request.slots.emplace_back(slot);
    }
    for (Node* node : registry_.nodes(Role::data)) {
        network_.send(self_, {node->plan().id, Role::data}, request);
    }
}

void CopiesChecker::on_message(const msg::RoleAddress& from, const msg::ClusterMessage& message) {
    const auto* reply = std::get_if<msg::VerifyReply>(&message);
    if (reply == nullptr) {
        return;
    }
    for (const auto& copy : reply->copies) {
        if (!copy.leads || copy.acting) {
            continue;
        }
        const auto [leader, first] = leaders_.try_emplace({copy.slot, copy.slot_epoch}, from.node);
        if (!first && leader->second != from.node) {
            truth_.report("I6 one writer",
                          fmt::format("{} and {} lead slot {} in epoch {}", leader->second.raw(),
                                      from.node.raw(), copy.slot.raw(), copy.slot_epoch.raw()),
                          {leader->second.raw(), from.node.raw()});
        }
    }
    if (reply->request == query_) {
        answers_[from.node] = reply->copies;
    }
}

std::optional<std::string> CopiesChecker::difference() const {
    if (registry_.options().data == 1 || answers_.size() != registry_.nodes(Role::data).size()) {
        return std::nullopt;  // one copy is like itself; an answer may be held on its way by a
                              // story
    }
    std::map<SlotId, std::vector<msg::VerifyReply::Copy>> slots;
    for (const auto& [node, copies] : answers_) {
        for (const auto& copy : copies) {
            slots[copy.slot].push_back(copy);
        }
    }
    for (std::uint16_t slot = 0; slot < registry_.options().slots; ++slot) {
        if (const auto what = difference(slots[SlotId(slot)])) {
            return fmt::format("slot {} {}", slot, *what);
        }
    }
    return std::nullopt;
}

std::optional<std::string> CopiesChecker::difference(
    const std::vector<msg::VerifyReply::Copy>& copies) const {
    const auto wanted = static_cast<std::size_t>(std::min<std::ptrdiff_t>(
        registry_.options().copies, std::ssize(registry_.nodes(Role::data))));
    const auto leader = std::ranges::find_if(copies, [](const auto& copy) { return copy.leads; });
    if (leader == copies.end()) {
        return "has no leader";
    }
    if (copies.size() != wanted) {
        return fmt::format("has {} copies, not {}", copies.size(), wanted);
    }
    for (const auto& copy : copies) {
        if (copy.acting || !copy.settled) {
            return copy.acting ? "is led by somebody who stands in" : "is not settled";
        }
        if (copy.held != leader->held) {
            return fmt::format("is at {}:{} in one copy and at {}:{} in the leader's",
                               copy.held.epoch.raw(), copy.held.number, leader->held.epoch.raw(),
                               leader->held.number);
        }
        if (!(copy.digest == leader->digest) || copy.publications != leader->publications) {
            return fmt::format("has {} publications in one copy and {} in the leader's, or others",
                               copy.publications, leader->publications);
        }
    }
    return std::nullopt;
}

void CopiesChecker::at_rest() {
    if (const auto what = difference()) {
        truth_.report("I1 converges", *what, {"log"});
    }
}

}  // namespace muster::sim
