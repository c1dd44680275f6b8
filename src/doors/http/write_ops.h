#pragma once

#include <optional>
#include <string>

#include "doors/http/lease_table.h"
#include "doors/http/op.h"

namespace muster::http {

// PUT .../instances/{id} and its heartbeat: tells the session and waits for what it says.
class RegisterOp final : public Op {
public:
    // `leases` outlives the Op.
    RegisterOp(LeaseTable::Lease lease, LeaseTable& leases)
        : lease_(std::move(lease)), leases_(leases) {}

    void start(OpHost& host) override;
    void on_reply(OpHost& host, const msg::RequestReply& reply) override;
    void on_deadline(OpHost& host) override;

private:
    LeaseTable::Lease lease_;
    LeaseTable& leases_;
    msg::RequestId request_;
};

// DELETE .../instances/{id}.
class UnregisterOp final : public Op {
public:
    UnregisterOp(ServicePtr service, RegistId id, LeaseTable::Leaving leaving)
        : service_(std::move(service)), id_(std::move(id)), leaving_(leaving) {}

    void start(OpHost& host) override;
    void on_reply(OpHost& host, const msg::RequestReply& reply) override;
    void on_deadline(OpHost& host) override;

private:
    ServicePtr service_;
    RegistId id_;
    LeaseTable::Leaving leaving_;
    msg::RequestId request_;
};

}  // namespace muster::http
