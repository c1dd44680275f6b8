#include <algorithm>

#include <fmt/format.h>

#include "roles/meta/meta_impl.h"

namespace muster::meta {
namespace {

using Request = msg::OperatorRequest;

// The command that carries out what is wanted. Requires: it is not a report.
Command command_of(const Request::What& what) {
    if (const auto* move = std::get_if<Request::MoveSlot>(&what)) {
        return WishLeader{.slot = move->slot, .node = move->to};
    }
    if (const auto* remove = std::get_if<Request::RemoveMember>(&what)) {
        return RemoveMember{.node = remove->node, .role = remove->role};
    }
    if (std::holds_alternative<Request::StopPlacement>(what)) {
        return SetPlacement{.mode = placement::Mode::stopped};
    }
    if (std::holds_alternative<Request::ForcePlacement>(what)) {
        return SetPlacement{.mode = placement::Mode::forced};
    }
    return SetPlacement{.mode = placement::Mode::automatic, .forget_wishes = true};
}

// What can be told at once.
Result<void> check(const Request::What& what, const MetaState& state,
                   const std::vector<NodeId>& metas) {
    if (const auto* move = std::get_if<Request::MoveSlot>(&what)) {
        const MemberEntry* entry = state.find({.node = move->to, .role = Role::data});
        if (entry != nullptr && entry->member.phase != MemberPhase::live) {
            return fail(Errc::conflict,
                        fmt::format("{} is {}: a slot goes to a living data node", move->to.raw(),
                                    to_string(entry->member.phase)));
        }
    }
    if (const auto* remove = std::get_if<Request::RemoveMember>(&what)) {
        const bool member = state.find({.node = remove->node, .role = remove->role}) != nullptr;
        if (!member && std::ranges::find(metas, remove->node) != metas.end()) {
            return fail(Errc::conflict,
                        fmt::format("{} is a meta, which is not removed. Start it again under its "
                                    "name and address, with an empty folder if its own is lost",
                                    remove->node.raw()));
        }
    }
    return {};
}

}  // namespace

void MetaServer::Impl::on_operator(const msg::RoleAddress& from, const Request& request) {
    if (!leading_) {
        return;  // the leader answers
    }
    operator_requests_.add();
    const PutFrom sender{from, request.incarnation, request.request};
    if (operators_open_ >= options_.operators_waiting_max) {
        answer_operator(sender, fail(Errc::over_limit, "too many operators wait"));
        return;
    }
    if (auto fine = check(request.what, state_, options_.metas); !fine) {
        answer_operator(sender, std::move(fine));
        return;
    }
    ++operators_open_;
    if (std::holds_alternative<Request::ReportCluster>(request.what)) {
        const raft::Ticket ticket(++last_ticket_);
        open_.emplace(ticket, OperatorOpen{.sender = sender, .report = true});
        consensus_.read_barrier(ticket);
        return;
    }
    env_.log.info("meta.operator", {{"from", from.node.raw()}, {"kind", request.what.index()}});
    propose(OperatorOpen{.sender = sender}, command_of(request.what));
}

void MetaServer::Impl::answer_operator(const PutFrom& to, Result<void> result,
                                       std::shared_ptr<const msg::ClusterReport> report) {
    env_.outbox.send(to.session, msg::OperatorReply{.incarnation = to.incarnation,
                                                    .request = to.request,
                                                    .result = std::move(result),
                                                    .report = std::move(report)});
}

}  // namespace muster::meta
