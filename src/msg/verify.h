#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "model/cluster.h"
#include "model/ids.h"

// What an operator's verification asks of all who hold publications (roles/verify). Asking changes
// nothing, so whoever gets no answer asks again.
//
//   operator --VerifyRequest--> data ---------------------------> VerifyReply --> operator
//            --VerifyRequest--> session ------------------> VerifySessionReply --> operator
//            --VerifyRequest--> data --VerifyRequest--> session      when there is no link to it
//                                    <--VerifySessionReply-- session, passed on to the operator
namespace muster::msg {

// operator -> data, session: what the receiver holds of these slots (none named: all).
// data -> session: the same, for an operator that has no link to the session.
struct VerifyRequest {
    Incarnation incarnation;    // of the node that asks, echoed
    std::uint64_t request = 0;  // echoed
    NodeId asker;               // the role the last answer is for
    Role asker_role = Role::session;
    // Empty: the receiver. Else the data server passes the request on to this session, and what
    // that answers to the asker.
    NodeId session;
    std::vector<SlotId> slots;
    // Also what is there under each name.
    struct Detail {
        SlotId slot;
        std::string service;  // data_info_id: by publication of it; empty: by service
        NodeId owner;         // only what this life of a session owns; empty: everything
        Incarnation life;
    };
    std::optional<Detail> detail;
};

// What one holder has under one name.
struct VerifyLine {
    std::string name;  // data_info_id of a service; id of a publication when one service was named
    SetDigest digest;
    std::uint32_t count = 0;

    [[nodiscard]] bool operator==(const VerifyLine&) const = default;
};

// In answer to a detailed request; sorted by name.
struct VerifyDetail {
    static constexpr std::size_t kLinesMax = 20'000;

    std::vector<VerifyLine> lines;
    bool more = false;  // there are more than kLinesMax
};

// data -> operator
struct VerifyReply {
    // What one life of a session owns in the slot.
    struct Owner {
        NodeId session;
        Incarnation life;
        SetDigest digest;
        std::uint32_t count = 0;
    };
    struct Copy {
        SlotId slot;
        Epoch slot_epoch;  // of the leader it belongs to, as the node knows
        LogPosition held;
        bool leads = false;
        bool acting = false;
        bool whole = false;    // it is what the leader had at `held`; else it is being made
        bool settled = false;  // and absence in it is a statement
        SetDigest digest;      // over digest_of(id, order) of all publications
        std::uint32_t publications = 0;
        std::uint32_t orphans = 0;    // publications whose session ended, in their grace (leader)
        std::uint32_t held_back = 0;  // publications of sessions that fell silent (leader)
        std::vector<Owner> owners;    // who serves sessions: of all that own something
    };
    Incarnation incarnation;
    std::uint64_t request = 0;
    std::vector<Copy> copies;  // by slot
    VerifyDetail detail;
};

// session -> operator; session -> data, when that passed the request on; data -> operator
struct VerifySessionReply {
    struct Slot {
        SlotId slot;
        Epoch slot_epoch;      // of the leader the session believes in
        NodeId server;         // whom it tells what its clients publish; empty: nobody it can reach
        bool acting = false;   // `server` stands in for the leader
        bool pending = false;  // something is not acknowledged
        SetDigest digest;      // of what its clients publish, as in SessionHeartbeat
        std::uint32_t count = 0;
    };
    Incarnation incarnation;
    std::uint64_t request = 0;
    NodeId asker;
    Role asker_role = Role::session;
    NodeId session;
    Incarnation life;
    std::vector<Slot> slots;
    VerifyDetail detail;
};

}  // namespace muster::msg
