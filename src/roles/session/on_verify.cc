#include <algorithm>

#include "roles/session/session_impl.h"

// What operators compare with the slots' leaders: what this session's clients publish
// (roles/verify).
namespace muster::session {

void SessionServer::Impl::on(const msg::RoleAddress& from, const msg::VerifyRequest& request) {
    msg::VerifySessionReply reply{.incarnation = request.incarnation,
                                  .request = request.request,
                                  .asker = request.asker,
                                  .asker_role = request.asker_role,
                                  .session = options_.node,
                                  .life = options_.incarnation,
                                  .slots = {},
                                  .detail = {}};
    const std::set<SlotId> wanted(request.slots.begin(), request.slots.end());
    for (std::size_t i = 0; i < routes_.size(); ++i) {
        const SlotId id(static_cast<std::uint16_t>(i));
        if (!wanted.empty() && !wanted.contains(id)) {
            continue;
        }
        const Route& route = *routes_.find(id);
        const auto own = registrations_.digest(id);
        reply.slots.push_back({.slot = id,
                               .slot_epoch = route.epoch,
                               .server = route.node,
                               .acting = route.acting,
                               .pending = !writes_.empty(id),
                               .digest = own.digest,
                               .count = own.count});
    }
    if (request.detail) {
        reply.detail = detail_of(*request.detail);
    }
    env_.outbox.send(from, std::move(reply));
}

msg::VerifyDetail SessionServer::Impl::detail_of(const msg::VerifyRequest::Detail& wish) const {
    std::map<std::string, msg::VerifyLine> lines;
    msg::VerifyDetail detail;
    registrations_.for_each([&](const Registrations::Op& op) {
        const std::string service = op.service->data_info_id();
        if (routes_.size() == 0 || slot_of(*op.service, routes_.size()) != wish.slot ||
            (!wish.service.empty() && wish.service != service)) {
            return;
        }
        const std::string& name = wish.service.empty() ? service : op.id.raw();
        const auto known = lines.find(name);
        if (known == lines.end() && lines.size() == msg::VerifyDetail::kLinesMax) {
            detail.more = true;
            return;
        }
        msg::VerifyLine& line = lines[name];
        line.name = name;
        line.digest.add(digest_of(op.id, op.order));
        ++line.count;
    });
    for (auto& [name, line] : lines) {
        detail.lines.push_back(std::move(line));
    }
    return detail;
}

}  // namespace muster::session
