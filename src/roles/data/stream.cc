#include <algorithm>

#include "roles/data/data_impl.h"

// From the leader of a slot to its followers.
namespace muster::data {
namespace {

constexpr std::size_t kBulkPerMessage = 1000;
// So many entries may be on their way to one follower of a slot.
constexpr store::SlotLog::Index kWindow = 1024;
constexpr std::size_t kImagePublications = 1000;
constexpr std::size_t kImageBytes = std::size_t{256} << 10U;
constexpr std::size_t kBytesBesidesContent = 200;
// So many copies of one follower are compared with each pulse.
constexpr std::size_t kComparedPerPulse = 2;
constexpr std::size_t kBytesOfDatum = 100;

// How much a part of an image holds so far.
struct Filled {
    std::size_t items = 0;
    std::size_t bytes = 0;

    [[nodiscard]] bool full() const {
        return items >= kImagePublications || bytes >= kImageBytes;
    }
    void add(std::size_t more) {
        ++items;
        bytes += more;
    }
};

// Adds what `datum` holds, after part.next.id when the part before ended within it (`goes_on`), as
// far as there is room. False: some of it is left.
bool add_datum(msg::SlotImage& part, const store::DatumStore& store,
               const store::DatumStore::Datum& datum, bool goes_on, const Owners& owners,
               Filled& filled) {
    auto& item =
        part.data_items.emplace_back(datum.service, datum.version, std::vector<msg::OwnedWrite>{});
    auto entry = goes_on ? datum.entries.upper_bound(part.next.id) : datum.entries.begin();
    for (; entry != datum.entries.end() && !filled.full(); ++entry) {
        item.publications.push_back(
            owners.named(store::Effect{.id = {},
                                       .publication = entry->publication,
                                       .order = entry->publication->order,
                                       .owner = entry->owner,
                                       .owner_seq = entry->owner_seq,
                                       .mark = store.mark_of(entry->publication->id)}));
        filled.add(kBytesBesidesContent + content_bytes(*entry->publication));
        part.next.id = entry->publication->id;
    }
    if (entry != datum.entries.end()) {
        return false;
    }
    filled.add(kBytesOfDatum);
    // A later part begins after the greatest id there is.
    if (!datum.entries.empty()) {
        part.next.id = datum.entries.rbegin()->publication->id;
    }
    return true;
}

void add_data(msg::SlotImage& part, const store::DatumStore& store, const Owners& owners,
              Filled& filled) {
    const auto& data = store.data();
    auto datum = data.lower_bound(part.next.service);
    bool goes_on = datum != data.end() && datum->first == part.next.service;
    for (; datum != data.end() && !filled.full(); ++datum, goes_on = false) {
        const bool all = add_datum(part, store, datum->second, goes_on, owners, filled);
        part.next.service = datum->first;
        if (!all) {
            break;  // the next part goes on within it
        }
    }
    part.next.publications_done = datum == data.end();
}

void add_tombstones(msg::SlotImage& part, const store::DatumStore& store, const Owners& owners,
                    MonoTime now, Filled& filled) {
    part.last = true;
    store.tombstones().visit(part.next.burial,
                             [&](std::uint64_t burial, const store::Tombstone& stone) {
                                 if (filled.full()) {
                                     part.last = false;
                                     return false;
                                 }
                                 filled.add(0);
                                 part.next.burial = burial;
                                 part.tombstones.push_back({.service = stone.removal.service,
                                                            .write = owners.named(stone),
                                                            .connection = stone.connection,
                                                            .age_ms = to_ms(now - stone.since)});
                                 return true;
                             });
}

}  // namespace

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::FollowSlot& ask) {
    LedSlot* slot = slots_.find(ask.slot);
    if (slot == nullptr || slot->acting || slot->epoch != ask.slot_epoch) {
        return;  // one of us has an older table; it asks again
    }
    const auto& followers = slots_.table().slots[ask.slot.raw()].followers;
    if (std::ranges::find(followers, from.node) == followers.end()) {
        return;
    }
    FollowerLink& follower = slot->followers[from.node];
    if (ask.data < follower.life ||
        (versions_.exhausted() && !(ask.withdrawn.empty() && ask.given.empty()))) {
        return;
    }
    take_withdrawn(ask.slot, *slot, ask.withdrawn);
    take_given(ask.slot, *slot, ask.given);
    const auto at = slot->log.find(ask.held);
    if (!at || !slot->log.reaches(*at)) {
        follower = {};
        send_image_part(from.node, ask.slot, source(*slot),
                        {.data = ask.data, .slot = ask.slot, .slot_epoch = ask.slot_epoch});
        return;
    }
    follower = {.life = ask.data,
                .sent = *at,
                .acked = *at,
                .sent_name = ask.held,
                .acked_name = ask.held,
                .sent_at = {},
                .behind_since = {}};
    stream_to(from.node, ask.slot, *slot, follower);
}

void DataServer::Impl::stream(SlotId id, LedSlot& slot) {
    for (auto& [node, follower] : slot.followers) {
        const bool untold = follower.sent_name != slot.log.position();
        if (follower.life != Incarnation{} && follower.sent - follower.acked < kWindow &&
            (untold || slot.settled != follower.believes_settled)) {
            stream_to(node, id, slot, follower);
        }
    }
}

// Sends what was not sent yet, as far as the window goes; at least one message. Until it knows our
// position by name: where an epoch begins without entries, that is all there is to tell.
void DataServer::Impl::stream_to(const NodeId& node, SlotId id, LedSlot& slot,
                                 FollowerLink& follower) {
    const MonoTime now = env_.clock.mono();
    const LogPosition newest = slot.log.position();
    follower.sent_at = now;
    if (!slot.log.reaches(follower.sent)) {
        follower.sent = slot.log.newest();  // it finds out that it missed some, and asks
        follower.sent_name = newest;
    }
    if (follower.acked == follower.sent) {
        follower.behind_since = now;
    }
    do {
        msg::SlotEntries message{.data = follower.life,
                                 .slot = id,
                                 .slot_epoch = slot.epoch,
                                 .after = follower.sent_name,
                                 .entries_epoch = slot.log.epoch_after(follower.sent),
                                 .settled = false,
                                 .in_doubt = !slot.settled && !slot.whole,
                                 .entries = {}};
        for (const store::LogEntry* entry : slot.log.read(follower.sent, kBulkPerMessage)) {
            message.entries.push_back(owners_.named(*entry));
        }
        follower.sent += message.entries.size();
        follower.sent_name = slot.log.position_in(message.entries_epoch, follower.sent);
        message.settled = slot.settled && follower.sent_name == newest;
        probe_.entries_sent.add(message.entries.size());
        env_.outbox.send({node, Role::data}, std::move(message));
    } while (follower.sent_name != newest && follower.sent - follower.acked < kWindow);
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::FollowAck& ack) {
    const MonoTime now = env_.clock.mono();
    for (const auto& item : ack.items) {
        LedSlot* slot = slots_.find(item.slot);
        if (slot == nullptr || slot->acting) {
            continue;
        }
        const auto known = slot->followers.find(from.node);
        if (known == slot->followers.end() || known->second.life != ack.data) {
            continue;
        }
        FollowerLink& follower = known->second;
        const auto at = slot->log.find(item.held);
        if (!at || item.held < follower.acked_name) {
            continue;
        }
        follower.believes_settled = item.settled;
        if (*at > follower.acked) {
            probe_.follower_lag.record(now - follower.behind_since);
            follower.behind_since = follower.sent_at;
        }
        follower.acked = *at;
        follower.acked_name = item.held;
        if (follower.sent_name < item.held) {
            follower.sent = *at;
            follower.sent_name = item.held;
        }
        if (follower.sent_name != slot->log.position()) {
            stream_to(from.node, item.slot, *slot, follower);
        }
    }
}

// What was not acknowledged in time is sent again. When all is acknowledged a follower is told
// nothing but that we live.
void DataServer::Impl::look_after_followers(MonoTime now) {
    std::map<NodeId, std::uint32_t> streamed;
    for (auto& [id, slot] : slots_.led()) {
        if (slot->acting) {
            continue;
        }
        const auto& followers = slots_.table().slots[id.raw()].followers;
        for (const NodeId& node : followers) {
            streamed.try_emplace(node, 0);
        }
        for (auto& [node, follower] : slot->followers) {
            streamed[node] += follower.life != Incarnation{} ? 1 : 0;
            const bool owed = follower.acked_name != slot->log.position() ||
                              slot->settled != follower.believes_settled;
            if (follower.life != Incarnation{} && owed &&
                now - follower.sent_at >= options_.follow_retry) {
                probe_.entries_resent.add(follower.sent - follower.acked);
                follower.sent = follower.acked;
                follower.sent_name = follower.acked_name;
                stream_to(node, id, *slot, follower);
            }
        }
    }
    std::erase_if(compared_, [&](const auto& item) { return !streamed.contains(item.first); });
    for (const auto& [node, count] : streamed) {
        pulse_to(node, count, next_compared(node));
    }
}

void DataServer::Impl::pulse_to(const NodeId& node, std::uint32_t streamed,
                                std::vector<msg::LeaderPulse::Copy> copies) {
    env_.outbox.send({node, Role::data}, msg::LeaderPulse{.data = options_.incarnation,
                                                          .table_epoch = slots_.table().epoch,
                                                          .streamed = streamed,
                                                          .copies = std::move(copies)});
}

// Of those that `node` has all entries of, the next ones in turn.
std::vector<msg::LeaderPulse::Copy> DataServer::Impl::next_compared(const NodeId& node) {
    std::vector<msg::LeaderPulse::Copy> copies;
    const auto& led = slots_.led();
    SlotId& last = compared_[node];
    auto at = led.upper_bound(last);
    for (std::size_t looked = 0; looked < led.size() && copies.size() < kComparedPerPulse;
         ++looked, ++at) {
        if (at == led.end()) {
            at = led.begin();
        }
        const auto& [id, slot] = *at;
        const auto follower = slot->followers.find(node);
        if (!slot->acting && follower != slot->followers.end() &&
            follower->second.life != Incarnation{} &&
            follower->second.acked_name == slot->log.position()) {
            copies.push_back({.slot = id,
                              .held = slot->log.position(),
                              .digest = slot->store.digest(),
                              .settled = slot->settled});
            last = id;
        }
    }
    return copies;
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::ImageRequest& ask) {
    const LedSlot* slot = slots_.find(ask.slot);
    if (slot != nullptr) {
        if (slot->epoch == ask.slot_epoch && slot->acting == ask.any_copy) {
            send_image_part(from.node, ask.slot, source(*slot), ask);
        }
        return;
    }
    const FollowedSlot* copy = slots_.find_followed(ask.slot);
    if (ask.any_copy && copy != nullptr && copy->epoch == ask.slot_epoch && copy->can_be_copied()) {
        send_image_part(from.node, ask.slot,
                        {.store = copy->store,
                         .epoch = copy->epoch,
                         .position = copy->log.position(),
                         .gaps = copy->log.gaps(),
                         .settled = copy->settled},
                        ask);
    }
}

void DataServer::Impl::send_image_part(const NodeId& node, SlotId id, const Source& slot,
                                       const msg::ImageRequest& ask) {
    msg::SlotImage part{.data = ask.data,
                        .slot = id,
                        .slot_epoch = slot.epoch,
                        .position = slot.position,
                        .settled = slot.settled,
                        .image = ask.image,
                        .part = ask.part,
                        .next = ask.from,
                        .last = false,
                        .data_items = {},
                        .tombstones = {},
                        .gaps = {}};
    Filled filled;
    if (!part.next.publications_done) {
        add_data(part, slot.store, owners_, filled);
    }
    if (part.next.publications_done) {
        add_tombstones(part, slot.store, owners_, env_.clock.mono(), filled);
    }
    if (part.last) {
        part.gaps = slot.gaps;
    }
    probe_.images_sent.add(part.part == 0 ? 1 : 0);
    env_.outbox.send({node, Role::data}, std::move(part));
}

}  // namespace muster::data
