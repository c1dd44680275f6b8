#include <utility>

#include "roles/data/data_impl.h"

// Changes on their way to the sessions that watch.
namespace muster::data {
namespace {

using Stand = Interest::Stand;

// What goes in one message, by bulk_of(), a removal as 1; and at most one datum more.
constexpr std::size_t kBulkPerBatch = 5000;

std::size_t bulk_of_all(const std::vector<PublicationPtr>& publications) {
    std::size_t bulk = 0;
    for (const PublicationPtr& publication : publications) {
        bulk += bulk_of(*publication);
    }
    return bulk;
}

std::size_t bulk_of_change(const std::variant<DatumChange, DatumSnapshot>& either) {
    const auto* change = std::get_if<DatumChange>(&either);
    if (change != nullptr) {
        return 1 + bulk_of_all(change->upserts) + change->removals.size();
    }
    const auto& whole = std::get<DatumSnapshot>(either);
    return 1 + bulk_of_all(whole.publications) + whole.departed.size();
}

}  // namespace

void DataServer::Impl::tell(LedSlot& slot, const DatumChange& change) {
    const std::string name = change.service->data_info_id();
    const bool seen = !change.upserts.empty() || !change.removals.empty();
    std::map<Version, Version> forks;  // equal versions are equal lists: they stay so
    for (SessionLink* watcher : watchers_.of(name)) {
        SessionLink& link = *watcher;
        Interest& interest = link.interests.at(name);
        if (interest.stand == Stand::trunk) {
            tell_later(link, change);
        } else if (interest.stand == Stand::fork && seen) {
            Version& next = forks[interest.version];
            if (next == Version{}) {
                next = fork_version(slot, *change.service);
            }
            DatumChange own = change;
            own.from = std::exchange(interest.version, next);
            own.to = next;
            tell_later(link, std::move(own));
        }
    }
}

void DataServer::Impl::tell_later(SessionLink& link,
                                  std::variant<DatumChange, DatumSnapshot> change) {
    if (link.pending.empty()) {
        to_tell_.insert(link.node);
    }
    link.pending.push_back(std::move(change));
}

void DataServer::Impl::tell_followers_and_sessions() {
    for (const SlotId id : std::exchange(written_, {})) {
        if (LedSlot* slot = slots_.find(id); slot != nullptr && !slot->acting) {
            stream(id, *slot);
        }
    }
    for (const NodeId& node : std::exchange(to_tell_, {})) {
        SessionLink& link = *sessions_.find(node);
        std::size_t bulk = 0;
        msg::ChangeBatch batch{
            .session = link.incarnation, .stream = link.stream, .seq = 0, .changes = {}};
        const auto send = [&] {
            batch.seq = ++link.last_seq;
            env_.outbox.send({node, Role::session}, batch);
            batch.changes.clear();
            bulk = 0;
        };
        for (auto& change : std::exchange(link.pending, {})) {
            std::holds_alternative<DatumChange>(change) ? probe_.changes_told.add()
                                                        : probe_.snapshots_told.add();
            bulk += bulk_of_change(change);
            batch.changes.push_back(std::move(change));
            if (bulk >= kBulkPerBatch) {
                send();
            }
        }
        if (!batch.changes.empty()) {
            send();
        }
    }
}

}  // namespace muster::data
