#include <algorithm>

#include "roles/data/data_impl.h"

// How new services are, and how far sessions are with them: for operators (roles/propagation).
namespace muster::data {
namespace {

std::uint32_t drained_of(const store::DatumStore& store, const store::DatumStore::Datum& datum) {
    if (store.drained_count() == 0) {
        return 0;
    }
    return static_cast<std::uint32_t>(std::ranges::count_if(datum.entries, [&](const auto& entry) {
        return store::is_drained(store.mark_of(entry.publication->id));
    }));
}

}  // namespace

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::NewestRequest& request) {
    msg::NewestReply reply{.incarnation = request.incarnation, .request = request.request};
    if (LedSlot* slot = slots_.find(*request.service); slot != nullptr && !slot->acting) {
        reply.leads = true;
        reply.settled = slot->settled;
        if (const auto* datum = slot->store.find(*request.service)) {
            reply.version = datum->version;
            reply.drained = drained_of(slot->store, *datum);
            reply.publications = static_cast<std::uint32_t>(datum->entries.size()) - reply.drained;
        }
    }
    env_.outbox.send(from, reply);
}

// A session has no links to others: what one asks another goes through here.
void DataServer::Impl::on(const msg::RoleAddress& /*from*/, const msg::ReachRequest& request) {
    if (request.session != NodeId{}) {
        msg::ReachRequest passed_on = request;
        passed_on.session = {};
        env_.outbox.send({request.session, Role::session}, std::move(passed_on));
    }
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::ReachReply& reply) {
    if (from.role == Role::session && reply.asker != options_.node) {
        env_.outbox.send({reply.asker, reply.asker_role}, reply);
    }
}

}  // namespace muster::data
