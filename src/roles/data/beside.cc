#include <algorithm>
#include <utility>

#include "roles/data/data_impl.h"

// What a follower knows that its leader does not: what clients withdrew, and which versions they
// were shown, while it acted in the leader's stead or was the leader of an epoch whose last entries
// were lost. It says so with its position (FollowSlot), a bounded part at a time, until all is
// taken.
namespace muster::data {
namespace {

// What of `told` goes in the next message; it is dropped when that is answered.
template <class T>
std::ptrdiff_t next_of(const std::vector<T>& told, std::size_t most) {
    return static_cast<std::ptrdiff_t>(std::min(told.size(), most));
}

}  // namespace

// The versions of forks that were ours to give: once the copy is of one mind with its leader's.
void DataServer::Impl::note_forked(FollowedSlot& slot) {
    for (const auto& [name, version] : std::exchange(slot.forked, {})) {
        const auto datum = slot.store.data().find(name);
        if (datum != slot.store.data().end() && version > datum->second.version) {
            slot.given.push_back({datum->second.service, version});
        }
    }
}

// What was given beside the leader, above what it gave until then: clients hold it, and their
// sessions may have ended since (I2).
void DataServer::Impl::note_given(FollowedSlot& slot, const store::DatumStore& image) {
    for (const auto& [name, datum] : slot.store.data()) {
        const auto forked = slot.forked.find(name);
        const Version highest =
            forked == slot.forked.end() ? datum.version : std::max(datum.version, forked->second);
        const auto led = image.data().find(name);
        if (highest > (led == image.data().end() ? Version{} : led->second.version)) {
            slot.given.push_back({datum.service, highest});
        }
    }
    slot.forked.clear();
}

void DataServer::Impl::add_beside(msg::FollowSlot& ask, FollowedSlot& slot) const {
    const auto withdrawn = slot.withdrawn.begin();
    std::for_each(withdrawn, withdrawn + next_of(slot.withdrawn, msg::FollowSlot::kWithdrawnMax),
                  [&](const store::Write& write) {
                      ask.withdrawn.push_back({write.service, owners_.named(write)});
                  });
    if (!slot.diverged) {
        note_forked(slot);
        const auto given = slot.given.begin();
        ask.given.assign(given, given + next_of(slot.given, msg::FollowSlot::kGivenMax));
    }
}

// The leader has taken what it was told beside our position: the rest of it goes now.
void DataServer::Impl::tell_on(SlotId id, FollowedSlot& slot) {
    auto& withdrawn = slot.withdrawn;
    auto& given = slot.given;
    withdrawn.erase(withdrawn.begin(),
                    withdrawn.begin() + next_of(withdrawn, msg::FollowSlot::kWithdrawnMax));
    given.erase(given.begin(), given.begin() + next_of(given, msg::FollowSlot::kGivenMax));
    if (!withdrawn.empty() || !given.empty()) {
        ask_leader(id, slot, env_.clock.mono());
    }
}

// What left on the other side of a cut, by the word of its clients (I5).
void DataServer::Impl::take_withdrawn(SlotId id, LedSlot& slot,
                                      const std::vector<msg::FollowSlot::Withdrawal>& withdrawn) {
    Turn turn{.why = HistoryRecord::Why::elsewhere};
    for (const auto& [service, write] : withdrawn) {
        const store::Write removal = owners_.numbered(write, service);
        if (removal.publication == nullptr && by_word(removal.cause) &&
            slots_.id_of(*service) == id) {
            turn.by = owners_.session(removal.owner);
            take(slot, removal, turn);
        }
    }
    commit(slot, turn);
}

// What clients were shown by others: who holds the list is told a version above that, as soon as
// all is known, and who comes and holds nothing at once (I2, I1).
void DataServer::Impl::take_given(SlotId id, LedSlot& slot,
                                  const std::vector<msg::FollowSlot::Given>& given) {
    for (const auto& [service, version] : given) {
        if (slots_.id_of(*service) != id) {
            continue;
        }
        versions_.merge(version);
        if (version > slot.store.find_or_make(service).version) {
            Version& highest = slot.forked[service->data_info_id()];
            highest = std::max(highest, version);
            slot.doubts.insert(service->data_info_id());
        }
    }
    keep_reserve();
    settle_if_supplied(id, slot);
}

}  // namespace muster::data
