// What operators see of the cluster and tell it: every process asks the metas,
// and for a comparison all who hold something.
#include <charconv>

#include "doors/http/cluster_json.h"
#include "doors/http/cluster_ops.h"
#include "doors/http/router.h"

namespace muster::http {
namespace {

using msg::OperatorRequest;

Result<Answer> ask(OperatorRequest::What what, ClusterOp::Render render) {
    return std::make_unique<ClusterOp>(std::move(what), render);
}

Result<Answer> members(const Call& /*call*/, Site& /*site*/) {
    return ask(OperatorRequest::ReportCluster{}, members_json);
}

Result<Answer> slots(const Call& /*call*/, Site& /*site*/) {
    return ask(OperatorRequest::ReportCluster{}, slots_json);
}

Result<Answer> verify(const Call& /*call*/, Site& /*site*/) {
    return std::make_unique<VerifyOp>();
}

Result<Answer> remove_member(const Call& call, Site& /*site*/) {
    const std::string role(call.query.get("role").value_or(""));
    for (const Role known : {Role::data, Role::session}) {
        if (role == to_string(known)) {
            return ask(
                OperatorRequest::RemoveMember{.node = NodeId(call.param("node")), .role = known},
                nullptr);
        }
    }
    if (role == to_string(Role::meta)) {
        return fail(Errc::invalid_argument,
                    "role: a meta is not removed. Start it again under its name and address, with "
                    "an empty folder if its own is lost");
    }
    return fail(Errc::invalid_argument, "role: expected data or session, got '" + role + "'");
}

Result<Answer> move_slot(const Call& call, Site& /*site*/) {
    const std::string& text = call.param("slot");
    unsigned slot = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), slot);
    if (error != std::errc{} || end != text.data() + text.size() || slot > 0xffff) {
        return fail(Errc::invalid_argument, "slot: expected a number, got '" + text + "'");
    }
    const std::string to(call.query.get("to").value_or(""));
    if (to.empty()) {
        return fail(Errc::invalid_argument, "to: expected the data server that shall lead");
    }
    return ask(OperatorRequest::MoveSlot{.slot = SlotId(static_cast<std::uint16_t>(slot)),
                                         .to = NodeId(to)},
               nullptr);
}

Result<Answer> place(const Call& call, Site& /*site*/) {
    const std::string& mode = call.param("mode");
    if (mode == "automatic") {
        return ask(OperatorRequest::StartPlacement{}, nullptr);
    }
    if (mode == "stopped") {
        return ask(OperatorRequest::StopPlacement{}, nullptr);
    }
    if (mode == "forced") {
        return ask(OperatorRequest::ForcePlacement{}, nullptr);
    }
    return fail(Errc::invalid_argument,
                "mode: expected automatic, stopped or forced, got '" + mode + "'");
}

}  // namespace

void add_cluster_routes(Router& router) {
    router.add({"GET", "/api/v1/cluster/members", members, "the nodes, and how they are"});
    router.add({"DELETE", "/api/v1/cluster/members/{node}", remove_member, "forgets a dead one"});
    router.add({"GET", "/api/v1/cluster/slots", slots, "who holds which slot"});
    router.add(
        {"PUT", "/api/v1/cluster/slots/{slot}/leader", move_slot, "lets a data server lead it"});
    router.add({"GET", "/api/v1/cluster/verify", verify, "whether all copies and sessions agree"});
    router.add({"PUT", "/api/v1/cluster/placement/{mode}", place, "automatic, stopped or forced"});
}

}  // namespace muster::http
