#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "msg/outbox.h"
#include "roles/session/query_face.h"

namespace muster::session {

// Questions to other roles that wait for answers. A listing that a data server does not answer in
// time is given up: the caller keeps a deadline of its own. Loop thread only. Bounds: kOpenMax
// listings at once, one beyond is given up; kPutsMax puts, one beyond is refused as busy.
//
// A put waits here for its turn (see msg::PutTurn) and is sent once it has it:
//   put_config -> PutTurnRequest -> PutTurnReply -> ConfigPut -> ConfigPutReply -> port
// What is not answered is sent again after kAskAgain, to all metas: another one may lead by then.
// At its deadline, counted from put_config, it is given up: from then on it is not sent any more,
// and what was sent is refused when a newer one came before it.
class OpenQueries {
public:
    explicit OpenQueries(Incarnation incarnation) : incarnation_(incarnation) {}

    static constexpr std::size_t kOpenMax = 1000;
    static constexpr std::size_t kPutsMax = 64;  // their values wait with them
    static constexpr Duration kPatience = std::chrono::seconds(2);
    static constexpr Duration kAskAgain = std::chrono::milliseconds(200);

    void ask_services(std::uint64_t token, const msg::ListServices& query, QueryPort& port,
                      const SlotTable& table, MonoTime now, msg::Outbox& outbox);
    void put_config(std::uint64_t token, std::string key, std::optional<std::string> value,
                    QueryPort& port, const std::vector<NodeId>& metas, MonoTime now,
                    msg::Outbox& outbox);

    void on_reply(const NodeId& from, const msg::ListServicesReply& reply);
    void on_reply(const NodeId& from, const msg::PutTurnReply& reply, MonoTime now,
                  msg::Outbox& outbox);
    // A refusal before there was a turn is one meta's: the leading one may still give a turn.
    void on_reply(const NodeId& from, const msg::ConfigPutReply& reply);
    void expire(MonoTime now);
    void ask_again(MonoTime now, const std::vector<NodeId>& metas, msg::Outbox& outbox);

private:
    struct Listing {
        std::uint64_t token = 0;
        QueryPort* port = nullptr;
        std::set<NodeId> awaited;
        std::uint32_t limit = 0;
        msg::ListServicesReply merged;
        MonoTime deadline;
    };
    struct Put {
        std::uint64_t token = 0;
        QueryPort* port = nullptr;
        MonoTime deadline;
        MonoTime ask_again_at;
        msg::ConfigPut put;
        bool has_turn = false;
        // Whose answer may still decide: all that did not refuse a turn, then the one that gave it.
        std::set<NodeId> awaited;
        std::optional<Error> refused;
    };

    static void answer(Listing& listing);

    Incarnation incarnation_;
    std::map<std::uint64_t, Listing> listings_;
    std::map<std::uint64_t, Put> puts_;
    std::uint64_t last_ = 0;
};

}  // namespace muster::session
