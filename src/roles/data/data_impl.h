#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "roles/data/data.h"
#include "roles/data/session_links.h"
#include "roles/data/slots.h"
#include "store/version_clock.h"

namespace muster::data {

// The reactions of the data server, one file per sender: on_session.cc, on_meta.cc, queries in
// data.cc. Every on_*() ends with flush(), which tells sessions what changed in this turn.
class DataServer::Impl {
public:
    Impl(DataOptions options, DataEnv env);

    void start();
    void on_message(const msg::RoleAddress& from, const msg::ClusterMessage& message);
    void on_timer(env::TimerKey key);
    [[nodiscard]] DataStatus status() const;
    void write_metrics(MetricsWriter& writer) const;

private:
    struct Probe {
        Counter writes_changed;
        Counter writes_refreshed;
        Counter writes_ignored;
        Counter batches_refused;
        Counter changes_told;
        Counter snapshots_told;
        Counter interests_refused;
        Counter repairs;
        Counter orphans_removed;
        Counter pauses_noticed;
    };
    // Changes of one turn, folded by service.
    using Turn = std::map<std::string, DatumChange>;

    void heartbeat();
    void arm_heartbeat();
    void notice_pause(MonoTime now);

    void on(const msg::RoleAddress& from, const msg::NodeHeartbeatReply& reply);
    void on(const msg::RoleAddress& from, const msg::PublishBatch& batch);
    void on(const msg::RoleAddress& from, const msg::InterestDeclare& declare);
    void on(const msg::RoleAddress& from, const msg::InterestDrop& drop);
    void on(const msg::RoleAddress& from, const msg::SessionHeartbeat& heartbeat);
    void on(const msg::RoleAddress& from, const msg::SlotDetail& detail);
    void on(const msg::RoleAddress& from, const msg::ListServices& query);
    template <typename Other>
    void on(const msg::RoleAddress&, const Other&) {}  // not for this role

    SessionLink* hear(const NodeId& node, Incarnation life);
    void apply(LedSlot& slot, const SessionLink& link, const msg::PublishBatch::Op& op, Turn& turn);
    void note_upsert(Turn& turn, store::DatumStore::Datum& datum,
                     const PublicationPtr& publication);
    void note_removal(Turn& turn, store::DatumStore::Datum& datum, const RegistId& id,
                      RemovalCause cause);
    void commit(LedSlot& slot, Turn& turn);
    void answer_interest(SessionLink& link, const msg::InterestDeclare::Item& item);
    void compare(SessionLink& link, const msg::SessionHeartbeat& heartbeat);
    void begin_slots(const std::vector<SlotId>& begun);
    void settle_what_is_complete();
    void settle(LedSlot& slot);
    void remove_orphans(MonoTime now);
    void tell(const store::DatumStore::Datum& datum,
              const std::variant<DatumChange, DatumSnapshot>& change);
    void flush();
    void forget_interests(SessionLink& link);

    DataOptions options_;
    DataEnv env_;
    Slots slots_;
    SessionLinks sessions_;
    store::VersionClock versions_;
    std::vector<Member> members_;
    std::uint64_t members_epoch_ = 0;
    MonoTime last_tick_;
    MonoTime last_sweep_;
    Probe probe_;
};

}  // namespace muster::data
