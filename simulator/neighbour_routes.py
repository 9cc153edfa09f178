"""Every path beside Site Recovery that is answered: Compute, Network, Storage, locks, health and logs."""

from __future__ import annotations

from simulator.call import Handler
from simulator.providers import (
    asynchronous,
    authorization,
    availability,
    capacity,
    compute,
    interfaces,
    logs,
    network,
    storage,
)
from simulator.route import GROUP, SUBSCRIPTION, Route, documented

_COMPUTE = "providers/Microsoft.Compute"
_VM = f"{GROUP}/{_COMPUTE}/virtualMachines/{{vm}}"
_DISK = f"{GROUP}/{_COMPUTE}/disks/{{disk}}"
_NETWORK = "providers/Microsoft.Network"
_VNET = f"{GROUP}/{_NETWORK}/virtualNetworks/{{vnet}}"
_NIC = f"{GROUP}/{_NETWORK}/networkInterfaces/{{nic}}"
_IP = f"{GROUP}/{_NETWORK}/publicIPAddresses/{{ip}}"
_NSG = f"{GROUP}/{_NETWORK}/networkSecurityGroups/{{nsg}}"
_LB = f"{GROUP}/{_NETWORK}/loadBalancers/{{lb}}"
_STORAGE = "providers/Microsoft.Storage/storageAccounts"
_LOCKS = "providers/Microsoft.Authorization/locks"
_HEALTH = "providers/Microsoft.ResourceHealth/availabilityStatuses"
_RESOURCE = f"{GROUP}/providers/{{provider}}/{{kind}}/{{resource}}"


def _lists(kind: str, handler: Handler, name: str) -> tuple[Route, Route]:
    """Name the two lists a kind of resource has: of a group, and of the subscription."""
    return (
        documented("GET", f"{GROUP}/{kind}", handler, f"{name} list in group"),
        documented("GET", f"{SUBSCRIPTION}/{kind}", handler, f"{name} list"),
    )


NEIGHBOURS: tuple[Route, ...] = (
    documented("GET", _VM, compute.get_vm, "virtual machine get"),
    documented("GET", f"{_VM}/instanceView", compute.get_instance_view, "virtual machine instance view"),
    *_lists(f"{_COMPUTE}/virtualMachines", compute.list_vms, "virtual machines"),
    documented("DELETE", _VM, compute.delete_vm, "virtual machine delete"),
    documented("POST", f"{_VM}/start", compute.start_vm, "virtual machine start"),
    documented("POST", f"{_VM}/powerOff", compute.stop_vm, "virtual machine power off"),
    documented("POST", f"{_VM}/deallocate", compute.stop_vm, "virtual machine deallocate"),
    documented("GET", _DISK, compute.get_disk, "disk get"),
    *_lists(f"{_COMPUTE}/disks", compute.list_disks, "disks"),
    documented("DELETE", _DISK, compute.delete_disk, "disk delete"),
    documented(
        "GET",
        f"{SUBSCRIPTION}/{_COMPUTE}/locations/{{region}}/usages",
        capacity.list_usages,
        "compute usages list",
    ),
    documented("GET", f"{SUBSCRIPTION}/{_COMPUTE}/skus", capacity.list_skus, "compute skus list"),
    documented(
        "GET",
        f"{SUBSCRIPTION}/{_COMPUTE}/locations/{{region}}/operations/{{operation}}",
        asynchronous.read,
        "compute operation",
    ),
    documented(
        "GET",
        f"{SUBSCRIPTION}/{_COMPUTE}/locations/{{region}}/DiskOperations/{{operation}}",
        asynchronous.read,
        "disk operation",
    ),
    documented("GET", _VNET, network.get_vnet, "virtual network get"),
    documented("GET", f"{_VNET}/virtualNetworkPeerings", network.list_peerings, "virtual network peerings list"),
    documented("GET", f"{_VNET}/subnets", network.list_subnets, "subnets list"),
    documented("GET", f"{_VNET}/subnets/{{subnet}}", network.get_subnet, "subnet get"),
    *_lists(f"{_NETWORK}/virtualNetworks", network.list_vnets, "virtual networks"),
    documented("GET", _NSG, network.get_security_group, "network security group get"),
    *_lists(f"{_NETWORK}/networkSecurityGroups", network.list_security_groups, "network security groups"),
    documented("GET", _LB, network.get_load_balancer, "load balancer get"),
    *_lists(f"{_NETWORK}/loadBalancers", network.list_load_balancers, "load balancers"),
    documented("GET", _NIC, interfaces.get_nic, "network interface get"),
    *_lists(f"{_NETWORK}/networkInterfaces", interfaces.list_nics, "network interfaces"),
    documented("DELETE", _NIC, interfaces.delete_nic, "network interface delete"),
    documented("GET", _IP, interfaces.get_public_ip, "public IP address get"),
    *_lists(f"{_NETWORK}/publicIPAddresses", interfaces.list_public_ips, "public IP addresses"),
    documented("DELETE", _IP, interfaces.delete_public_ip, "public IP address delete"),
    documented(
        "GET",
        f"{SUBSCRIPTION}/{_NETWORK}/locations/{{region}}/operations/{{operation}}",
        asynchronous.read,
        "network operation",
    ),
    documented(
        "GET",
        f"{SUBSCRIPTION}/{_NETWORK}/locations/{{region}}/operationResults/{{operation}}",
        asynchronous.result,
        "network operation result",
    ),
    *_lists(_STORAGE, storage.list_accounts, "storage accounts"),
    documented("GET", f"{GROUP}/{_STORAGE}/{{account}}", storage.get_account, "storage account get"),
    documented("GET", f"{SUBSCRIPTION}/{_LOCKS}", authorization.list_locks, "locks list in subscription"),
    documented("GET", f"{GROUP}/{_LOCKS}", authorization.list_locks, "locks list in group"),
    documented("GET", f"{_RESOURCE}/{_LOCKS}", authorization.list_locks, "locks list on a resource"),
    documented("GET", f"{_RESOURCE}/{_HEALTH}", availability.history, "resource health history"),
    documented("GET", f"{_RESOURCE}/{_HEALTH}/current", availability.current, "resource health get"),
    *_lists(_HEALTH, availability.list_all, "resource health"),
    documented("POST", "/v1/$batch", logs.query_batch, "logs query batch"),
    documented("POST", "/v1/workspaces/{workspace}/query", logs.query_workspace, "logs query"),
    documented("POST", f"/v1{_RESOURCE}/query", logs.query_resource, "logs query of a resource"),
    documented("POST", f"/v1{SUBSCRIPTION}/query", logs.query_resource, "logs query all"),
    documented("POST", f"/v1{GROUP}/query", logs.query_resource, "logs query of a group"),
)
