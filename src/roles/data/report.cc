#include <algorithm>

#include "roles/data/data_impl.h"

// What the data server tells metas of itself, and shows of itself.
namespace muster::data {
namespace {

// A change of a copy is said in the heartbeats of so long, as one may be lost.
constexpr Duration kReportChanges = std::chrono::seconds(1);

}  // namespace

void DataServer::Impl::heartbeat() {
    std::uint64_t publications = 0;
    for (const auto& [id, slot] : slots_.led()) {
        publications += slot->acting ? 0 : slot->store.publication_count();
    }
    view_.beat({.member = {.node = options_.node,
                           .role = Role::data,
                           .address = options_.address,
                           .incarnation = options_.incarnation,
                           .peer_address = options_.peer_address,
                           .zone = options_.zone,
                           .folder = options_.folder},
                .copies = copies_to_report(report_whole_),
                .copies_whole = report_whole_,
                .version = versions_.latest(),
                .publications = publications,
                .removals = removals_});
}

std::vector<msg::CopyState> DataServer::Impl::copies_to_report(bool whole) {
    const MonoTime now = env_.clock.mono();
    std::vector<msg::CopyState> copies;
    std::map<SlotId, Reported> reported;
    const auto look = [&](const msg::CopyState& state) {
        const auto known = reported_.find(state.slot);
        const bool changed = known == reported_.end() || known->second.state != state;
        const Reported next{state, changed ? now : known->second.changed};
        reported.emplace(state.slot, next);
        if (whole || now - next.changed < kReportChanges) {
            copies.push_back(state);
        }
    };
    for (const auto& [id, slot] : slots_.led()) {
        if (slot->acting) {
            look({.slot = id, .held = slot->acts_from, .synced = false});
        } else {
            look({.slot = id, .held = slot->log.position(), .synced = true});
        }
    }
    for (const auto& [id, slot] : slots_.followed()) {
        if (!slot->acting) {
            const bool usable = slot->consistent() && !slot->diverged;
            look({.slot = id,
                  .held = usable ? slot->log.position() : LogPosition{},
                  .synced = slot->synced()});
        }
    }
    reported_ = std::move(reported);
    return copies;
}

void DataServer::Impl::catch_up() {
    if (catch_up_.over()) {
        return;
    }
    CatchUp::Missing missing{.table = slots_.table().slots.empty(),
                             .versions = versions_.exhausted(),
                             .lost = slots_.lost().size(),
                             .followed = slots_.followed().size(),
                             .of = {},
                             .parts_loaded = probe_.image_parts_taken.value()};
    for (const auto& [id, slot] : slots_.followed()) {
        if (!slot->synced()) {
            ++missing.unsynced;
            missing.of.insert(slot->leader);
        }
    }
    catch_up_.look(missing, env_.clock.mono());
    if (catch_up_.gave_up()) {
        env_.log.warning("data.ready.unsynced", {{"why", catch_up_.waits_for()}});
    }
}

DataStatus DataServer::Impl::status() const {
    DataStatus status{.table_epoch = slots_.table().epoch,
                      .slots_followed = slots_.followed().size(),
                      .sessions = sessions_.all().size(),
                      .slots_lost = slots_.lost().size(),
                      .latest_version = versions_.latest()};
    for (const auto& [id, slot] : slots_.led()) {
        slot->acting ? ++status.slots_acting : ++status.slots_led;
        status.slots_settled += slot->settled ? 1 : 0;
        status.services += slot->store.data().size();
        status.publications += slot->store.publication_count();
        status.tombstones += slot->store.tombstones().size();
        status.doubts += slot->doubts.size();
    }
    for (const auto& [id, slot] : slots_.followed()) {
        status.slots_synced += slot->synced() ? 1 : 0;
        status.publications_followed += slot->store.publication_count();
    }
    for (const auto& [id, owners] : absent_) {
        const auto slot = slots_.led().find(id);
        for (const auto& [owner, reason] : owners) {
            if (slot != slots_.led().end()) {
                const std::size_t count = slot->second->store.digest_of_owner(owner).count;
                (reason == GoneReason::closed ? status.orphans : status.held) += count;
            }
        }
    }
    for (const auto& [id, ids] : unclaimed_) {
        const auto slot = slots_.led().find(id);
        if (slot == slots_.led().end()) {
            continue;
        }
        status.unclaimed += std::ranges::count_if(ids, [&](const auto& item) {
            const auto* entry = slot->second->store.find(*item.second, item.first);
            return entry != nullptr && entry->owner == store::kNobody;
        });
    }
    for (const auto& [name, held] : held_) {
        status.suspects += held.until.size();
    }
    status.services_braking = held_.size();
    status.cluster_braking = !cluster_braking_.empty();
    status.waits_for = catch_up_.over() ? std::string() : catch_up_.waits_for();
    return status;
}

}  // namespace muster::data
