#include <utility>

#include "roles/data/data_impl.h"

// A client that moved to another session is listed by both until the one it left knows. Told at
// once, that one's digest agrees again, and nothing of it has to go by its own time.
namespace muster::data {

// The session that owns what `op` writes and that is another than `link`'s; null: none does.
const SessionLink* DataServer::Impl::owner_before(LedSlot& slot, const SessionLink& link,
                                                  const msg::PublishBatch::Op& op) const {
    if (op.publication == nullptr || slot.acting) {
        return nullptr;  // what an acting leader takes, the leader has to be told yet
    }
    const auto* datum = slot.store.find(*op.service);
    if (datum == nullptr) {
        return nullptr;
    }
    const auto entry = datum->entries.find(op.id);
    if (entry == datum->entries.end() || entry->owner == link.owner) {
        return nullptr;
    }
    const SessionLink* owner = sessions_.find(owners_.session(entry->owner));
    return owner != nullptr && owner->owner == entry->owner ? owner : nullptr;
}

void DataServer::Impl::note_takeover(const SessionLink& from, const msg::PublishBatch::Op& op) {
    msg::TakenOver& taken = takeovers_[from.node];
    taken.session = from.incarnation;
    taken.items.push_back({.id = op.id, .service = op.service, .order = op.order});
}

void DataServer::Impl::tell_takeovers() {
    for (auto& [node, taken] : std::exchange(takeovers_, {})) {
        env_.outbox.send({node, Role::session}, std::move(taken));
    }
}

}  // namespace muster::data
