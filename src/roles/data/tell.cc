#include <utility>

#include "roles/data/data_impl.h"

// Changes on their way to the sessions that watch.
namespace muster::data {
using Stand = Interest::Stand;

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
            own.digest.reset();  // it may hold more
            tell_later(link, std::move(own));
        }
    }
}

// What a change that leads to the newest version of `datum` says of the list. While not all is
// known, sessions may rightly hold more.
std::optional<SetDigest> DataServer::Impl::digest_told(const LedSlot& slot,
                                                       store::DatumStore::Datum& datum) {
    return slot.settled ? std::optional(slot.store.shown_digest(datum)) : std::nullopt;
}

void DataServer::Impl::tell_later(SessionLink& link, TellStream::Told told) {
    to_tell_.insert(link.node);
    if (!link.tells.push(std::move(told), env_.clock.mono())) {
        probe_.streams_ended.add();
    }
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::ChangesTaken& said) {
    SessionLink* link = hear(from.node, said.session);
    if (link != nullptr && link->tells.taken(said.stream, said.seq, env_.clock.mono())) {
        to_tell_.insert(link->node);
        flush();
    }
}

void DataServer::Impl::tell_followers_and_sessions() {
    for (const SlotId id : std::exchange(written_, {})) {
        if (LedSlot* slot = slots_.find(id); slot != nullptr && !slot->acting) {
            stream(id, *slot);
        }
    }
    for (const NodeId& node : std::exchange(to_tell_, {})) {
        SessionLink& link = *sessions_.find(node);
        while (auto batch = link.tells.next()) {
            batch->session = link.incarnation;
            for (const auto& told : batch->changes) {
                if (std::holds_alternative<DatumChange>(told)) {
                    probe_.changes_told.add();
                } else if (!batch->goes_on) {
                    probe_.snapshots_told.add();
                }
            }
            env_.outbox.send({node, Role::session}, std::move(*batch));
        }
    }
}

}  // namespace muster::data
